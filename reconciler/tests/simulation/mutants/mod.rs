//! Deliberate faults: a core that decides or asks otherwise at one place. Each must be noticed, or the oracle is worth nothing.

mod caught;
mod clouds;
mod clusters;
mod decisions;
mod small;

use std::convert::identity;
use std::sync::Arc;

use reconciler::cluster::Cluster;
use reconciler::context::Planner;
use reconciler::plan::plan;
use reconciler::providers::Cloud;

/// The core with one fault in it.
#[derive(Clone, Copy)]
pub(crate) struct Mutant {
    /// What it does wrong.
    pub(crate) name: &'static str,
    /// The shipped code without which it would be so.
    pub(crate) without: &'static str,
    pub(crate) plan: Planner,
    pub(crate) cluster: fn(Arc<dyn Cluster>) -> Arc<dyn Cluster>,
    pub(crate) cloud: fn(Arc<dyn Cloud>) -> Arc<dyn Cloud>,
}

/// The core as it is shipped.
pub(crate) const SHIPPED: Mutant = Mutant {
    name: "none",
    without: "nothing",
    plan,
    cluster: identity::<Arc<dyn Cluster>>,
    cloud: identity::<Arc<dyn Cloud>>,
};

const fn decides(name: &'static str, without: &'static str, plan: Planner) -> Mutant {
    Mutant { name, without, plan, ..SHIPPED }
}

pub(crate) const NAMESAKES_SNAPSHOT: Mutant = decides(
    "a snapshot counts by the name of its instance only",
    "plan/deletion.rs, is_final: the snapshot's resource id is the pinned one",
    decisions::namesakes_snapshot,
);
pub(crate) const OLD_SNAPSHOT: Mutant = decides(
    "a snapshot that is older than the deletion counts",
    "plan/deletion.rs, is_final: asked_for() || since()",
    decisions::old_snapshot,
);
pub(crate) const NO_CONSENT: Mutant = decides(
    "a snapshot is restored by whoever names it",
    "plan/instance/restore.rs, snapshot: of_namespace",
    decisions::no_consent,
);
pub(crate) const UNSAVED: Mutant = decides(
    "a major version rises without a snapshot",
    "plan/instance/upgrade.rs, snapshot: ours, available and fresh",
    decisions::unsaved,
);
pub(crate) const PRUNED_EARLY: Mutant = decides(
    "a kept copy goes before a newer one is there",
    "plan/instance/copies.rs, outlived: newest, of those that are complete",
    decisions::pruned_early,
);
pub(crate) const PIN_LOST: Mutant = decides(
    "a pin is lost while the object is paused",
    "plan/mod.rs, rehearsal: pin: world.pinned.clone()",
    decisions::pin_lost,
);
pub(crate) const EMPTY_SWEEP: Mutant = Mutant {
    name: "a list without the instance is believed",
    without: "observe/mod.rs, instance: by_name => account.cloud.look",
    cloud: clouds::unasked,
    ..SHIPPED
};
pub(crate) const SECRET_OVERWRITTEN: Mutant = Mutant {
    name: "a Secret is written whatever it has become",
    without: "cluster/kubernetes.rs: a Secret that is there is a conflict, and so is one that has changed since it was read",
    cluster: clusters::overwriting,
    ..SHIPPED
};
pub(crate) const MARK_COPIED: Mutant = decides(
    "an instance is the object's by the names in its tags",
    "plan/ground.rs, ownership: the cluster and the UID are marks as well",
    decisions::mark_copied,
);
pub(crate) const DATABASE_ANEW: Mutant = Mutant {
    name: "a database that was dropped is made anew",
    without: "observe/recall.rs, known_databases",
    cluster: clusters::forgetful,
    ..SHIPPED
};
pub(crate) const NO_LEDGER: Mutant = decides(
    "what was asked for is asked for again at once",
    "plan/merge.rs, merge: world.ledger.without_held",
    decisions::no_ledger,
);
pub(crate) const LET_GO_EARLY: Mutant = decides(
    "an object goes while its instance is being deleted",
    "plan/deletion.rs, delete: status.deleting() waits",
    decisions::let_go_early,
);
pub(crate) const UNKNOWN_IS_ABSENT: Mutant =
    decides("what could not be seen is not there", "plan/world.rs: Seen::Unknown", decisions::unknown_is_absent);
pub(crate) const ALIAS_TAKEN: Mutant = Mutant {
    name: "the alias of another is taken",
    without: "plan/services.rs: ServiceFact::Foreign",
    plan: decisions::alias_taken,
    cluster: clusters::taking,
    ..SHIPPED
};
pub(crate) const SECRET_FIRST: Mutant = decides(
    "the Secret of a removed user goes before the user",
    "plan/secrets.rs, leftovers: if !told",
    decisions::secret_first,
);
pub(crate) const STATUS_RESTLESS: Mutant = decides(
    "the status tells the time",
    "plan/instance: no outcome's message depends on now",
    decisions::status_restless,
);
pub(crate) const NO_FINAL_SNAPSHOT: Mutant = decides(
    "an instance is deleted without the final snapshot that the policy asks for",
    "plan/deletion.rs, delete: keep.then(|| free_name(…))",
    decisions::no_final_snapshot,
);
pub(crate) const TWO_CREATIONS: Mutant = decides(
    "the name of an instance is not the same for every process",
    "names/identifier.rs, derive: a function of cluster, namespace and name",
    decisions::two_creations,
);
pub(crate) const STATUS_OVERWRITTEN: Mutant = Mutant {
    name: "a status is written on whatever object is there",
    without: "apply/status.rs, report: the version that was read",
    cluster: clusters::unconditional,
    ..SHIPPED
};
pub(crate) const UNHELD: Mutant = decides(
    "an instance is made for an object that nothing holds",
    "plan/mod.rs, plan: !world.object.finalizer",
    decisions::unheld,
);
pub(crate) const PASSWORD_FIRST: Mutant = decides(
    "a server gets a password that is not in its Secret",
    "plan/instance/birth.rs, absent: the Secret must hold the master password first",
    decisions::password_first,
);
pub(crate) const RESTART_UNASKED: Mutant = decides(
    "a server is restarted for its parameters at any time",
    "plan/instance/parameters.rs, restart: open",
    decisions::restart_unasked,
);
pub(crate) const GROUP_UNREAD: Mutant = decides(
    "an instance gets a group of parameters that is not filled yet",
    "plan/instance/parameters.rs, whole: group.values",
    decisions::group_unread,
);
pub(crate) const UNTOLD: Mutant = decides(
    "a change that waits for its window is in no plan",
    "plan/ahead.rs, round: entries.push",
    decisions::untold,
);
pub(crate) const UPGRADE_UNSEEN: Mutant = decides(
    "a change that nobody notices brings the provider's upgrade forward",
    "plan/instance/queue.rs, Standing::of: besides",
    decisions::upgrade_unseen,
);
pub(crate) const PAUSE_UNHEEDED: Mutant =
    decides("a pause holds nothing", "plan/mod.rs, rehearsal: Plan::held", decisions::pause_unheeded);
pub(crate) const UNREADABLE_IS_ABSENT: Mutant = Mutant {
    name: "a password is minted again where the Secret cannot be read",
    without: "observe/kubernetes.rs, secrets: Err(error) => Seen::Unknown",
    cluster: clusters::blind,
    ..SHIPPED
};
