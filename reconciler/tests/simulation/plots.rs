//! Intrigues: a few acts that meet at a moment that matters, as chance alone rarely lets them.

use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use reconciler::plan::ACCEPT_ANNOTATION;
use reconciler::turns::Key;
use shared::api::labels::{CLUSTER_TAG, NAME_TAG, UID_TAG};

use crate::author::Author;
use crate::cluster::Planted;
use crate::console::Console;
use crate::faults::{Fault, Port};
use crate::gate::Death;
use crate::moment::Moment;
use crate::schedule::Act;
use crate::server::postgres::{Act as Statement, Deed as Sql};
use crate::weather::Spell;
use crate::wish::Wish;

/// The next so many calls of one kind go wrong.
fn spoil(port: Port, action: &'static str, fault: Fault, calls: u32) -> Act {
    Act::Spoil(Spell { port, action: Some(action), fault, calls, odds: 100 })
}

impl Author {
    /// What was there before the objects were, or goes wrong at their births.
    pub(crate) fn prelude(&mut self) {
        let act = match self.rng.random_range(0..9) {
            0 => Act::Plant { of: self.secret(), what: Planted::Secret },
            1 => Act::Plant { of: self.service(), what: Planted::Service },
            2 => spoil(Port::Cloud, "CreateDBInstance", Fault::AnswerLost, 1),
            3 => spoil(Port::Cloud, "CreateDBInstance", Fault::Late(self.seconds(1, 120)), 2),
            4 => spoil(Port::Cluster, "create secret", Fault::Outrun, 2),
            5 => spoil(Port::Cluster, "patch status", Fault::AnswerLost, 2),
            7 => spoil(Port::Cloud, "CreateDBInstance", Fault::Throttled, 30),
            6 => Act::Rival { lasting: self.seconds(20, 300) },
            _ => {
                let death = Death { after: self.rng.random_range(4..12), made: true };
                Act::Die { death, rest: self.seconds(0, 30) }
            }
        };
        self.then(act);
    }

    /// Something that takes several acts.
    pub(crate) fn plot(&mut self) {
        let object = self.object();
        match self.rng.random_range(0..24) {
            0..=1 => self.namesake(&object),
            2..=3 => self.older_snapshot(&object),
            4 => self.paused_way_out(&object),
            5 => self.dropped_database(&object),
            6..=7 => self.copied_marks(&object),
            8..=9 => self.left_behind(&object),
            10 => self.restored(&object),
            11..=12 => self.hidden(&object),
            13..=15 => self.comeback(&object),
            16..=17 => self.kept_copies(&object),
            18..=19 => self.second_thought(&object),
            20..=21 => self.required_upgrade(&object),
            _ => self.outrun(&object),
        }
    }

    /// What happens in the middle of a deletion that was asked for.
    pub(crate) fn ending(&mut self, object: &Key) {
        let act = match self.rng.random_range(0..5) {
            0 => Act::Kill { rest: self.seconds(0, 30) },
            1 => spoil(Port::Cloud, "DescribeDBInstances", Fault::Partial, 40),
            2 => spoil(Port::Cloud, "DescribeDBSnapshots", Fault::Partial, 40),
            3 => spoil(Port::Cloud, "DescribeDBInstances", Fault::Stale, 40),
            _ => Act::Console { object: object.clone(), deed: Console::FailSnapshot },
        };
        if self.one_in(2) {
            self.when(Moment::Deleting(object.clone()), act);
        } else {
            self.then(act);
        }
    }

    /// Nothing keeps the object from going with a snapshot.
    fn plain(&mut self, object: &Key) {
        let act = self.apply(object, false, Wish::plain);
        self.then(act);
    }

    fn delete(&mut self, object: &Key) {
        self.then(Act::Delete { object: object.clone(), webhook: false });
    }

    fn console(&mut self, when: Moment, object: &Key, deed: Console) {
        self.when(when, Act::Console { object: object.clone(), deed });
    }

    /// An object goes and is made again under its name, while the snapshot of before is there; then its instance is lost without one.
    fn namesake(&mut self, object: &Key) {
        self.plain(object);
        self.when(Moment::Ready(object.clone()), Act::Delete { object: object.clone(), webhook: false });
        let again = self.apply(object, true, |_| ());
        self.when(Moment::Gone(object.clone()), again);
        self.console(Moment::Ready(object.clone()), object, Console::Delete { snapshot: false });
        self.delete(object);
    }

    /// An object goes whose instance somebody deletes without a snapshot, when there is one that is older.
    fn older_snapshot(&mut self, object: &Key) {
        self.plain(object);
        self.console(Moment::Ready(object.clone()), object, Console::Snapshot);
        self.console(Moment::Snapshot(Console::SNAPSHOT), object, Console::Delete { snapshot: false });
        // Kubernetes and RDS tell times in whole seconds.
        self.wait(2, 10);
        self.delete(object);
    }

    /// Somebody pauses an object when it is as it should be, or on its way out, and thinks better of it.
    fn paused_way_out(&mut self, object: &Key) {
        let pause = self.apply(object, false, Wish::pause);
        if self.one_in(2) {
            self.when(Moment::Ready(object.clone()), pause);
        } else {
            self.delete(object);
            self.when(Moment::Deleting(object.clone()), pause);
        }
        self.pause();
        let go_on = self.apply(object, false, Wish::let_go);
        self.then(go_on);
    }

    /// Somebody drops a database that the status has known.
    fn dropped_database(&mut self, object: &Key) {
        let rng = &mut self.rng;
        let Some((_, wish)) = self.wishes.iter_mut().find(|(of, _)| of == object) else { return };
        wish.let_go();
        let name = wish.some_database(rng).to_owned();
        let apply = self.apply(object, false, |_| ());
        self.then(apply);
        let deed = match self.one_in(4) {
            true => Sql::RenameDatabase { name, to: "moved".into() },
            false => Sql::DropDatabase { name },
        };
        let statement = Statement::of_master(deed);
        self.when(Moment::Ready(object.clone()), Act::Statement { object: object.clone(), statement });
    }

    /// The instance gets the tags of another one.
    fn copied_marks(&mut self, object: &Key) {
        let keys = [CLUSTER_TAG, CLUSTER_TAG, UID_TAG, UID_TAG, NAME_TAG];
        let key = *keys.choose(&mut self.rng).unwrap_or(&CLUSTER_TAG);
        self.plain(object);
        let moment = match self.one_in(2) {
            true => Moment::Creating(object.clone()),
            false => Moment::Ready(object.clone()),
        };
        self.console(moment, object, Console::Mark(key));
        if self.one_in(2) {
            self.delete(object);
        }
    }

    /// An object goes and leaves its instance, and another one comes under its name.
    fn left_behind(&mut self, object: &Key) {
        let retain = self.apply(object, false, Wish::retain);
        self.then(retain);
        self.when(Moment::Ready(object.clone()), Act::Delete { object: object.clone(), webhook: false });
        let again = self.apply(object, true, Wish::plain);
        self.when(Moment::Gone(object.clone()), again);
        if self.one_in(2) {
            self.pause();
            self.then(Act::Allow { object: object.clone(), annotation: ACCEPT_ANNOTATION });
        }
    }

    /// Somebody restores a lost instance from a snapshot, under its name and with its tags.
    fn restored(&mut self, object: &Key) {
        self.plain(object);
        self.console(Moment::Ready(object.clone()), object, Console::Snapshot);
        self.console(Moment::Snapshot(Console::SNAPSHOT), object, Console::Lose);
        self.console(Moment::Lost(object.clone()), object, Console::Restore);
        if self.one_in(2) {
            self.when(
                Moment::Creating(object.clone()),
                Act::Allow { object: object.clone(), annotation: ACCEPT_ANNOTATION },
            );
        }
    }

    /// An object goes, and is made again of a snapshot of its instance; or one of another namespace is to be.
    fn comeback(&mut self, object: &Key) {
        self.plain(object);
        self.console(Moment::Ready(object.clone()), object, Console::Snapshot);
        let made = Moment::Snapshot(Console::SNAPSHOT);
        if self.one_in(2) {
            let thief = self.newcomer(object);
            let act = self.apply(&thief, true, Wish::come_back);
            return self.when(made, act);
        }
        self.when(made, Act::Delete { object: object.clone(), webhook: false });
        let again = self.apply(object, true, Wish::come_back);
        self.when(Moment::Gone(object.clone()), again);
        if self.one_in(3) {
            let rest = self.seconds(0, 30);
            self.then(Act::Kill { rest });
        }
    }

    /// Copies are kept of an instance, and grow old.
    fn kept_copies(&mut self, object: &Key) {
        let keep = self.apply(object, false, Wish::keep);
        self.then(keep);
        self.console(Moment::Kept(object.clone()), object, Console::Age);
        if self.one_in(3) {
            self.then(Act::Console { object: object.clone(), deed: Console::FailSnapshot });
        }
        // Names stay as they were: only a clock that is as far ahead sees that another one is due.
        self.then(Act::SetClock { seconds: 3 * 24 * 3600 });
        if self.one_in(3) {
            let rest = self.seconds(0, 30);
            self.then(Act::Kill { rest });
        }
        self.wait(60, 600);
    }

    /// The engine is going to be upgraded by itself, with the next change that is applied at once: somebody wants one that hurts nobody.
    fn required_upgrade(&mut self, object: &Key) {
        self.console(Moment::Ready(object.clone()), object, Console::RequireUpgrade);
        // What is known of maintenance is kept for ten minutes.
        self.wait(900, 1500);
        let act = self.apply(object, true, Wish::grow);
        self.then(act);
    }

    /// The cloud does not show what it has, while that matters.
    fn hidden(&mut self, object: &Key) {
        let goes = self.one_in(2);
        if goes {
            let act = self.apply(object, false, Wish::give_up);
            self.then(act);
        }
        let faults = [Fault::Partial, Fault::Partial, Fault::Stale, Fault::Broken];
        let fault = *faults.choose(&mut self.rng).unwrap_or(&Fault::Partial);
        if !goes {
            self.plain(object);
        }
        self.when(Moment::Ready(object.clone()), spoil(Port::Cloud, "DescribeDBInstances", fault, 30));
        if goes {
            self.delete(object);
        }
    }

    /// Somebody gives up what is in an object, and thinks better of it while the cloud is slow to answer.
    fn second_thought(&mut self, object: &Key) {
        let act = self.apply(object, false, Wish::give_up);
        self.then(act);
        self.when(Moment::Ready(object.clone()), spoil(Port::Cloud, "DescribeDBSnapshots", Fault::Lost, 3));
        self.delete(object);
        self.wait(21, 39);
        let keep = self.apply(object, false, Wish::plain);
        self.then(keep);
    }

    /// Somebody is faster than a write that follows from an edit: their Secret is there first, or another object of the name.
    fn outrun(&mut self, object: &Key) {
        self.plain(object);
        let write = *["create secret", "patch status"].choose(&mut self.rng).unwrap_or(&"create secret");
        self.when(Moment::Ready(object.clone()), spoil(Port::Cluster, write, Fault::Outrun, 1));
        let act = self.apply(object, false, Wish::more);
        self.then(act);
    }
}
