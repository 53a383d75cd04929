//! Faults by order: what goes wrong, with which calls and how many of them.

use std::sync::{Arc, Mutex, PoisonError};

use reconciler::entropy::Entropy;

use crate::faults::{Fault, Faults, Port};

/// Calls that go wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spell {
    pub(crate) port: Port,
    /// The calls, as the port calls them; `None` for all.
    pub(crate) action: Option<&'static str>,
    pub(crate) fault: Fault,
    /// How many of them go wrong until it is over.
    pub(crate) calls: u32,
    /// How many of a hundred.
    pub(crate) odds: u8,
}

/// The faults that are ordered now.
pub(crate) struct Weather {
    spells: Mutex<Vec<Spell>>,
    chance: Arc<dyn Entropy>,
}

impl Weather {
    /// Nothing goes wrong yet.
    pub(crate) fn fair(chance: Arc<dyn Entropy>) -> Self {
        Self { spells: Mutex::default(), chance }
    }

    pub(crate) fn order(&self, spell: Spell) {
        self.spells.lock().unwrap_or_else(PoisonError::into_inner).push(spell);
    }

    /// From now on nothing goes wrong.
    pub(crate) fn clear(&self) {
        self.spells.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Faults for Weather {
    fn of(&self, port: Port, action: &'static str) -> Fault {
        let mut spells = self.spells.lock().unwrap_or_else(PoisonError::into_inner);
        let concerns = |spell: &&mut Spell| spell.port == port && spell.action.is_none_or(|only| only == action);
        let Some(spell) = spells.iter_mut().find(concerns) else { return Fault::None };
        if self.chance.fraction() * 100.0 >= f64::from(spell.odds) {
            return Fault::None;
        }
        let fault = spell.fault;
        spell.calls -= 1;
        spells.retain(|spell| spell.calls > 0);
        fault
    }
}
