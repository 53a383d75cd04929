//! What can happen next in a small world.

use std::fmt;

use reconciler::turns::Key;

use super::node::{Before, Node};
use super::play::SmallWorld;

/// One thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A pass of an object.
    Pass {
        object: Key,
        truth: Truth,
        /// The process dies after so many of its effects, and another one begins.
        killed: Option<u32>,
    },
    /// The process dies between two passes. It is the same before the first effect of one.
    Restart,
    /// Time goes to the next moment at which something is due.
    Wait,
    /// Somebody applies the object with another specification, one of those of the world.
    Edit { object: Key, wish: usize },
    /// Somebody deletes it.
    Delete(Key),
    /// Somebody does something past the operator, one of the deeds of the world.
    Deed { nth: usize, name: &'static str },
}

/// What a pass is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    Now,
    /// The objects read as they were before the last change of one; writes are made on what is true.
    ObjectsBefore,
    /// The Secrets and Services do.
    ChildrenBefore,
    /// The instances are listed as they were before their last change.
    InventoryBefore,
    /// No instance is listed.
    InventoryEmpty,
    /// Calls go wrong, as the spell of the world says.
    Amiss {
        nth: usize,
        action: Option<&'static str>,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass { object, truth, killed } => {
                write!(f, "pass of {object}")?;
                match truth {
                    Truth::Now => Ok(()),
                    Truth::ObjectsBefore => f.write_str(", the objects as they were before"),
                    Truth::ChildrenBefore => f.write_str(", Secrets and Services as they were before"),
                    Truth::InventoryBefore => f.write_str(", the instances as they were before"),
                    Truth::InventoryEmpty => f.write_str(", no instance listed"),
                    Truth::Amiss { action, .. } => {
                        write!(f, ", without an answer to: {}", action.unwrap_or("anything"))
                    }
                }?;
                killed.map_or(Ok(()), |effects| write!(f, ", killed after its effect {effects}"))
            }
            Self::Restart => f.write_str("the process is killed"),
            Self::Wait => f.write_str("time passes"),
            Self::Edit { object, wish } => write!(f, "{object} is changed to wish {wish}"),
            Self::Delete(object) => write!(f, "{object} is deleted"),
            Self::Deed { name, .. } => f.write_str(name),
        }
    }
}

impl Step {
    /// What happens where nothing disturbs; `None` where nothing ever will.
    pub(super) fn calm(node: &Node) -> Option<Self> {
        match node.due() {
            Some(object) => Some(Self::Pass { object: object.clone(), truth: Truth::Now, killed: None }),
            None if node.kubernetes.databases.is_empty() => None,
            None => Some(Self::Wait),
        }
    }

    /// All else that may happen in a world, without the deaths within passes.
    pub(super) fn disturbances(node: &Node, world: &SmallWorld) -> Vec<Self> {
        let mut steps = Vec::new();
        let calm = Self::calm(node);
        let due = node.process.queue.iter().filter(|(_, at)| **at <= node.at).map(|(object, _)| object);
        for object in due {
            let pass = |truth| Self::Pass { object: object.clone(), truth, killed: None };
            steps.extend(truths(node, object, world).into_iter().map(pass));
        }
        steps.retain(|step| Some(step) != calm.as_ref());
        if calm.is_some() && node.left.kills > 0 && !(world.reduced && node.dies_as_before) {
            steps.push(Self::Restart);
        }
        let done = world.deeds.len() - usize::from(node.left.deeds);
        steps.extend(world.deeds.get(done).map(|deed| Self::Deed { nth: done, name: deed.name }));
        for (object, raw) in &node.kubernetes.databases {
            if raw["metadata"].get("deletionTimestamp").is_some() {
                continue;
            }
            if node.left.deletions > 0 {
                steps.push(Self::Delete(object.clone()));
            }
            if node.left.edits > 0 {
                steps.extend((1..world.wishes.len()).map(|wish| Self::Edit { object: object.clone(), wish }));
            }
        }
        steps
    }

    /// The object that it is about; `None` where it is about all.
    pub(super) fn about(&self) -> Option<&Key> {
        match self {
            Self::Pass { object, .. } | Self::Edit { object, .. } | Self::Delete(object) => Some(object),
            Self::Restart | Self::Wait | Self::Deed { .. } => None,
        }
    }
}

fn truths(node: &Node, object: &Key, world: &SmallWorld) -> Vec<Truth> {
    let mut truths = vec![Truth::Now];
    if node.left.stale > 0 {
        let before = node.before.get(object);
        let knows = |known: fn(&Before) -> bool| before.is_some_and(known);
        truths.extend(knows(|before| before.object.is_some()).then_some(Truth::ObjectsBefore));
        truths.extend(knows(|before| before.children.is_some()).then_some(Truth::ChildrenBefore));
        truths.extend(knows(|before| before.inventory.is_some()).then_some(Truth::InventoryBefore));
        truths.extend((!node.instances_of(object).is_empty()).then_some(Truth::InventoryEmpty));
        let spells = world.spells.iter().enumerate();
        truths.extend(spells.map(|(nth, spell)| Truth::Amiss { nth, action: spell.action }));
    }
    truths
}
