//! What can happen next in a small world.

use std::fmt;

use reconciler::turns::Key;

use super::node::Node;

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
                }?;
                killed.map_or(Ok(()), |effects| write!(f, ", killed after its effect {effects}"))
            }
            Self::Restart => f.write_str("the process is killed"),
            Self::Wait => f.write_str("time passes"),
            Self::Edit { object, wish } => write!(f, "{object} is changed to wish {wish}"),
            Self::Delete(object) => write!(f, "{object} is deleted"),
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

    /// All else that may happen, without the deaths within passes. `wishes` is how many specifications an object may have.
    pub(super) fn disturbances(node: &Node, wishes: usize) -> Vec<Self> {
        let mut steps = Vec::new();
        let calm = Self::calm(node);
        let due = node.process.queue.iter().filter(|(_, at)| **at <= node.at).map(|(object, _)| object);
        for object in due {
            steps.extend(truths(node).into_iter().map(|truth| Self::Pass {
                object: object.clone(),
                truth,
                killed: None,
            }));
        }
        steps.retain(|step| Some(step) != calm.as_ref());
        if calm.is_some() && node.left.kills > 0 {
            steps.push(Self::Restart);
        }
        for (object, raw) in &node.kubernetes.databases {
            if raw["metadata"].get("deletionTimestamp").is_some() {
                continue;
            }
            if node.left.deletions > 0 {
                steps.push(Self::Delete(object.clone()));
            }
            if node.left.edits > 0 {
                steps.extend((1..wishes).map(|wish| Self::Edit { object: object.clone(), wish }));
            }
        }
        steps
    }
}

fn truths(node: &Node) -> Vec<Truth> {
    let mut truths = vec![Truth::Now];
    if node.left.stale > 0 {
        truths.extend(node.before.objects.is_some().then_some(Truth::ObjectsBefore));
        truths.extend(node.before.children.is_some().then_some(Truth::ChildrenBefore));
        truths.extend(node.before.inventory.is_some().then_some(Truth::InventoryBefore));
        truths.extend((!node.instances().is_empty()).then_some(Truth::InventoryEmpty));
    }
    truths
}
