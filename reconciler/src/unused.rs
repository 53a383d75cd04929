//! Parameter groups that nothing uses any more are removed: an account has few.
//!
//! A group may have been made a moment ago for an instance that is not seen yet, so one goes only when nothing has used or wished for it for a
//! while, by a list of instances that began after that. Where this is wrong all the same, the provider refuses to delete what an instance has, and
//! who wished for one that is gone makes it again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, Moment};
use crate::lease::Fence;
use crate::providers::accounts::{Account, Accounts};
use crate::providers::sweep::Sweep;
use crate::providers::{CloudError, DeleteGroup, ErrorClass, Request, is_ours};

/// Between two looks, whatever is to pass before one goes.
const ROUNDS: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(600));
/// A list of instances is waited for so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the rounds look at.
pub(crate) struct Unused {
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) cluster: String,
    pub(crate) fence: Fence,
    pub(crate) clock: Arc<dyn Clock>,
    /// Nothing has used or wished for a group for so long.
    pub(crate) after: Duration,
}

/// Since when groups are unused, as far as this process has seen: by account, region and name.
type Since = BTreeMap<(String, String, String), Moment>;

impl Unused {
    /// Goes round for as long as the process lives. One that does not lead only looks on.
    pub(crate) async fn run(self) {
        let (mut since, (least, most)) = (Since::new(), ROUNDS);
        loop {
            tokio::time::sleep((self.after / 4).clamp(least, most)).await;
            if self.fence.check().is_err() {
                since.clear();
                continue;
            }
            self.accounts.forget_wishes(self.clock.now() - self.after);
            for account in self.accounts.connected().await {
                if let Err(error) = self.round(&account, &mut since).await {
                    tracing::warn!(%error, "unused parameter groups could not be looked for, or removed");
                }
            }
        }
    }

    async fn round(&self, account: &Account, since: &mut Since) -> Result<(), CloudError> {
        let names = account.cloud.groups().await?;
        let Some(sweep) = account.sweeper.latest() else { return Ok(()) };
        let key = |name: &str| (account.identity.account.clone(), account.region.clone(), name.to_owned());
        let idle = idle(&names, &sweep, |name| self.accounts.wished(name));
        let (here, now) = (key(""), self.clock.now());
        since.retain(|(account, region, name), _| {
            (account, region) != (&here.0, &here.1) || idle.contains(name.as_str())
        });
        for name in &idle {
            let unused = now.since(*since.entry(key(name)).or_insert(now));
            if unused < self.after {
                continue;
            }
            // What was seen may be old: only a list that begins now counts.
            let Ok(sweep) = account.sweeper.after(Some(now), PATIENCE).await else { continue };
            if !self::idle(&names, &sweep, |name| self.accounts.wished(name)).contains(name) {
                continue;
            }
            let group = account.cloud.group(name).await?;
            if group.is_some_and(|group| group.is_of(&self.cluster)) {
                self.remove(account, name).await?;
            }
            // If it is there all the same, it has its time again.
            since.remove(&key(name));
        }
        Ok(())
    }

    async fn remove(&self, account: &Account, name: &str) -> Result<(), CloudError> {
        let request = Request::DeleteGroup(DeleteGroup { name: name.to_owned() });
        match account.cloud.carry_out(&request).await {
            Ok(()) => {
                tracing::info!(
                    group = name,
                    account = account.identity.account,
                    "an unused parameter group was removed"
                );
                Ok(())
            }
            // Somebody uses it by now, or was faster.
            Err(error) if matches!(error.class, ErrorClass::WrongState | ErrorClass::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The groups of ours, by their names, that no instance has or is about to have, and that nobody wishes for.
fn idle<'a>(names: &'a [String], sweep: &Sweep, wished: impl Fn(&str) -> bool) -> BTreeSet<&'a str> {
    let used: BTreeSet<&str> = sweep
        .instances
        .values()
        .flat_map(|instance| [&instance.running.parameter_group, &instance.pending.parameter_group])
        .filter_map(Option::as_deref)
        .collect();
    let names = names.iter().map(String::as_str);
    names.filter(|name| is_ours(name) && !used.contains(name) && !wished(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::instance;
    use crate::providers::{Values, WantedGroup};

    #[test]
    fn i10_what_is_used_wished_for_or_anothers_stays() {
        let ours = |family: &str| WantedGroup::of("c", family, true, Values::new()).name;
        let (used, next, wished, idle_one) = (ours("a"), ours("b"), ours("d"), ours("e"));
        let mut with = instance("available");
        with.running.parameter_group = Some(used.clone());
        with.pending.parameter_group = Some(next.clone());
        let instances = [(with.identifier.clone(), with)].into();
        let sweep = Sweep { began: Moment::START, instances };
        let names = [used, next, wished.clone(), idle_one.clone(), "theirs".to_owned(), "matrixmind-theirs".to_owned()];
        let found = idle(&names, &sweep, |name| name == wished);
        assert_eq!(found, BTreeSet::from([idle_one.as_str()]));
    }
}
