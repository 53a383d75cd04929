//! Draws the schedule of a life: births, edits, faults, intrigues, and the end.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::{IndexedMutRandom as _, IndexedRandom as _};
use rand::{RngExt as _, SeedableRng as _};
use reconciler::plan::{ACCEPT_ANNOTATION, RECREATE_ANNOTATION};
use reconciler::turns::Key;

use crate::classes::{CLASSES, ClassWish};
use crate::cluster::{Kind, Planted, key};
use crate::console::{self, Console};
use crate::faults::{Fault, Port};
use crate::gate::Death;
use crate::moment::Moment;
use crate::schedule::{Act, Deed, GUESTS, HOME, Schedule, Timed};
use crate::temper::{Ill, Temper};
use crate::weather::Spell;
use crate::wish::Wish;

/// Writes of the operator's that somebody may be faster than.
const WRITES: [&str; 8] = [
    "patch database",
    "patch status",
    "create secret",
    "patch secret",
    "delete secret",
    "create service",
    "patch service",
    "delete service",
];

/// What there is to be told of a life.
#[derive(Clone, Copy, Debug)]
enum Entry {
    Edit,
    Fault,
    Plot,
    Class,
}

impl Schedule {
    /// The life of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut author = Author::new(seed);
        author.births();
        let (edits, faults, plots) = (author.rng.random_range(2..6), author.temper.faults, author.temper.plots);
        let classes = author.rng.random_range(0..3);
        let mut left = [
            vec![Entry::Edit; edits],
            vec![Entry::Fault; faults],
            vec![Entry::Plot; plots],
            vec![Entry::Class; classes],
        ]
        .concat();
        while !left.is_empty() {
            let next = left.swap_remove(author.rng.random_range(0..left.len()));
            author.pause();
            match next {
                Entry::Edit => author.edit(),
                Entry::Fault => {
                    let fault = author.fault();
                    author.then(fault);
                }
                Entry::Plot => author.plot(),
                Entry::Class => author.edit_class(),
            }
        }
        let acts = std::mem::take(&mut author.acts);
        author.now = Duration::ZERO;
        author.farewell();
        Self { seed, acts, farewell: author.acts }
    }
}

pub(crate) struct Author {
    pub(crate) rng: StdRng,
    temper: Temper,
    /// The objects as they are wanted.
    pub(crate) wishes: Vec<(Key, Wish)>,
    classes: Vec<ClassWish>,
    now: Duration,
    acts: Vec<Timed>,
}

impl Author {
    fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let temper = Temper::any(&mut rng);
        let classes = CLASSES.map(|name| ClassWish::any(name, &mut rng)).into();
        Self { rng, temper, wishes: Vec::new(), classes, now: Duration::ZERO, acts: Vec::new() }
    }

    pub(crate) fn seconds(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.rng.random_range(from * 1000..to * 1000))
    }

    pub(crate) fn one_in(&mut self, many: u32) -> bool {
        self.rng.random_range(0..many) == 0
    }

    /// This happens next.
    pub(crate) fn then(&mut self, act: Act) {
        self.acts.push(Timed::at(self.now, act));
    }

    /// This happens next, once something has come to pass.
    pub(crate) fn when(&mut self, moment: Moment, act: Act) {
        self.acts.push(Timed { at: self.now, when: Some(moment), act });
    }

    /// So many seconds pass, from the first to the second number of them.
    pub(crate) fn wait(&mut self, from: u64, to: u64) {
        let pause = self.seconds(from, to);
        self.now += pause;
    }

    /// People do several things in a moment, or nothing for long.
    pub(crate) fn pause(&mut self) {
        match self.rng.random_range(0..10) {
            0..=3 => self.wait(0, 5),
            4..=7 => self.wait(5, 120),
            _ => self.wait(120, 900),
        }
    }

    fn births(&mut self) {
        for class in self.classes.clone() {
            self.then(Act::Class { name: class.name, spec: class.spec(), default: class.default });
        }
        if self.one_in(8) {
            self.stranger();
        }
        let namespaces = if self.one_in(6) { vec![HOME, GUESTS] } else { vec![HOME] };
        for namespace in namespaces {
            let wish = Wish::any(&mut self.rng);
            self.wishes.push((key(namespace, "orders"), wish));
        }
        if self.one_in(2) {
            self.prelude();
        }
        for (object, wish) in self.wishes.clone() {
            self.then(Act::Apply { object, spec: wish.spec(), webhook: true });
        }
    }

    /// An object of somebody else's that nobody can make sense of.
    fn stranger(&mut self) {
        let spec = match self.one_in(2) {
            true => serde_json::json!({"users": "app"}),
            false => serde_json::json!({"size": "10XB", "backup": {"retention": "99999d"}}),
        };
        self.then(Act::Apply { object: key(GUESTS, "stranger"), spec, webhook: false });
    }

    /// One of the objects.
    pub(crate) fn object(&mut self) -> Key {
        let index = self.rng.random_range(0..self.wishes.len());
        self.wishes[index].0.clone()
    }

    /// An object of another namespace that asks for the same.
    pub(crate) fn newcomer(&mut self, like: &Key) -> Key {
        let newcomer = key(if like.namespace == HOME { GUESTS } else { HOME }, "newcomer");
        let wish = self.wishes.iter().find(|(of, _)| of == like).map(|(_, wish)| wish.clone());
        if let Some(wish) = wish.filter(|_| self.wishes.iter().all(|(of, _)| *of != newcomer)) {
            self.wishes.push((newcomer.clone(), wish));
        }
        newcomer
    }

    /// Somebody changes their mind about an object, by what `change` makes of their wish.
    pub(crate) fn apply(&mut self, object: &Key, webhook: bool, change: impl FnOnce(&mut Wish)) -> Act {
        let mut spec = serde_json::Value::Null;
        if let Some((_, wish)) = self.wishes.iter_mut().find(|(of, _)| of == object) {
            change(wish);
            spec = wish.spec();
        }
        Act::Apply { object: object.clone(), spec, webhook }
    }

    fn edit(&mut self) {
        let object = self.object();
        if self.one_in(12) {
            return self.then(Act::Delete { object, webhook: true });
        }
        let index = self.wishes.iter().position(|(of, _)| *of == object).unwrap_or_default();
        self.wishes[index].1.edit(&mut self.rng);
        let webhook = !self.one_in(3);
        let act = self.apply(&object, webhook, |_| ());
        self.then(act);
    }

    /// The platform changes its mind about a class.
    fn edit_class(&mut self) {
        let Some(class) = self.classes.choose_mut(&mut self.rng) else { return };
        class.edit(&mut self.rng);
        let act = Act::Class { name: class.name, spec: class.spec(), default: class.default };
        self.then(act);
    }

    pub(crate) fn fault(&mut self) -> Act {
        match self.temper.ill(&mut self.rng) {
            Ill::Calls => Act::Spoil(self.spell()),
            Ill::Processes => self.of_processes(),
            Ill::Watches => self.of_watches(),
            Ill::Console if self.one_in(6) => {
                let annotation = if self.one_in(2) { RECREATE_ANNOTATION } else { ACCEPT_ANNOTATION };
                Act::Allow { object: self.object(), annotation }
            }
            Ill::Console => Act::Console { object: self.object(), deed: Console::any(&mut self.rng) },
            Ill::Statements => Act::Statement { object: self.object(), statement: console::statement(&mut self.rng) },
            Ill::Bindings => self.of_bindings(),
            Ill::Platform => self.of_platform(),
        }
    }

    fn of_processes(&mut self) -> Act {
        match self.rng.random_range(0..9) {
            0..=1 => Act::Kill { rest: self.seconds(0, 30) },
            2..=6 => {
                let death = Death { after: self.rng.random_range(1..12), made: self.one_in(2) };
                Act::Die { death, rest: self.seconds(0, 30) }
            }
            7 => Act::Freeze { lasting: self.seconds(12, 120) },
            _ => Act::Rival { lasting: self.seconds(20, 300) },
        }
    }

    fn of_watches(&mut self) -> Act {
        let kind = *Kind::ALL.choose(&mut self.rng).unwrap_or(&Kind::Databases);
        match self.rng.random_range(0..4) {
            0 => Act::SetClock { seconds: *[3600, -3600, 86_400].choose(&mut self.rng).unwrap_or(&60) },
            1 => Act::HoldWatch { kind, lasting: self.seconds(10, 300) },
            2 => Act::BreakWatch { kind },
            _ => Act::RepeatWatch { kind, changes: self.rng.random_range(1..10) },
        }
    }

    fn of_platform(&mut self) -> Act {
        match self.rng.random_range(0..7) {
            0..=3 => Act::RestoreEtcd { acts: self.rng.random_range(1..4) },
            4 => Act::Terminate { namespace: self.object().namespace },
            5 => Act::Annotate { object: self.object(), annotation: "touched" },
            _ => Act::Release { object: self.object() },
        }
    }

    fn of_bindings(&mut self) -> Act {
        let deed = *[Deed::Delete, Deed::Unmark, Deed::Spoil].choose(&mut self.rng).unwrap_or(&Deed::Delete);
        let (secret, service) = (self.secret(), self.service());
        match self.rng.random_range(0..6) {
            0..=1 => Act::Secret { of: secret, deed },
            2..=3 => Act::Service { of: service, deed },
            4 => Act::Plant { of: secret, what: Planted::Secret },
            _ => Act::Plant { of: service, what: Planted::Service },
        }
    }

    /// The name of a Secret of one of the objects.
    pub(crate) fn secret(&mut self) -> Key {
        let Key { namespace, name } = self.object();
        let user = ["master", "app", "report"].choose(&mut self.rng).copied().unwrap_or("master");
        key(&namespace, &format!("{name}.rds.{user}"))
    }

    /// The name of a Service of one of the objects.
    pub(crate) fn service(&mut self) -> Key {
        let Key { namespace, name } = self.object();
        if self.one_in(2) { key(&namespace, &format!("{name}-rds")) } else { key("rds", &name) }
    }

    fn spell(&mut self) -> Spell {
        let ports = [Port::Cluster, Port::Cloud, Port::Cloud, Port::Server];
        let port = *ports.choose(&mut self.rng).unwrap_or(&Port::Cloud);
        let late = self.seconds(1, 120);
        let faults = [
            Fault::Throttled,
            Fault::Broken,
            Fault::Forbidden,
            Fault::Lost,
            Fault::AnswerLost,
            Fault::Late(late),
            Fault::Stale,
            Fault::Partial,
        ];
        let fault = *faults.choose(&mut self.rng).unwrap_or(&Fault::Lost);
        let (calls, odds) = (self.rng.random_range(1_u32..40), self.rng.random_range(20..=100));
        if port == Port::Cluster && self.one_in(3) {
            let action = WRITES.choose(&mut self.rng).copied();
            return Spell { port, action, fault: Fault::Outrun, calls: calls.div_ceil(8), odds };
        }
        Spell { port, action: None, fault, calls, odds }
    }

    fn farewell(&mut self) {
        let early = self.rng.random_range(0..3);
        for (object, wish) in self.wishes.clone() {
            if wish.is_held() {
                let act = self.apply(&object, false, Wish::let_go);
                self.then(act);
                self.pause();
            }
            self.then(Act::Delete { object: object.clone(), webhook: false });
            if self.one_in(3) {
                self.ending(&object);
            }
        }
        for _ in 0..early {
            self.wait(0, 60);
            let fault = self.fault();
            self.then(fault);
        }
    }
}
