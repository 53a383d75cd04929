//! The whole state of the simulated cloud as one plain value, and how it changes.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rds_model::{
    Account, Activity, ApiError, Fresh, MaintenanceAction, Params, Phase, Quotas, State, actions, advance, next_moment,
};
use reconciler::engine::Password;
use reconciler::providers::aws::{convert, marks, parameters};
use reconciler::providers::{Backup, Group, Maintenance, Offered, Quota, Source};

use super::calls::{Action, Call};
use super::history::{By, CloudEvent, Record};
use super::shown;
use super::timetables::Pace;
use super::view::View;

/// How old a stale answer can be.
const STALENESS: SignedDuration = SignedDuration::from_secs(60);
/// Where PostgreSQL listens, each at a host name of its own.
const PORT: u16 = 5432;

/// Everything that decides what the cloud answers: nothing is kept elsewhere, in a task or a timer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CloudState {
    account: Account,
    pace: Pace,
    rds: State,
    /// How far it is played.
    reached: Timestamp,
    /// What is shown then.
    view: Arc<View>,
    /// What was shown until when, within the last minute; the oldest first.
    earlier: VecDeque<(Timestamp, Arc<View>)>,
    /// Calls on their way, the next one first.
    late: Vec<Late>,
    /// How many instances were made.
    drawn: u64,
    /// How many resource ids were given, by what they begin with.
    given: BTreeMap<u64, u64>,
    /// Passwords by their verifiers.
    passwords: BTreeMap<String, Password>,
}

/// A call of the operator's that arrives when nobody waits for it any more.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Late {
    sent: Timestamp,
    due: Timestamp,
    call: Call,
}

impl CloudState {
    /// An account without instances.
    pub(crate) fn new(account: Account, pace: Pace, now: Timestamp) -> Self {
        Self {
            account,
            pace,
            rds: State::default(),
            reached: now,
            view: Arc::default(),
            earlier: VecDeque::new(),
            late: Vec::new(),
            drawn: 0,
            given: BTreeMap::new(),
            passwords: BTreeMap::new(),
        }
    }

    /// A number that is the same for the same state: what was shown within the last minute has a part in it only as stale answers can.
    pub(crate) fn digest(&self) -> u64 {
        let Self { account, pace, rds, reached, view: _, earlier, late, drawn, given, passwords } = self;
        let mut hasher = DefaultHasher::new();
        (account, pace, rds, reached, late, drawn, given).hash(&mut hasher);
        for (until, view) in earlier {
            (until, format!("{view:?}")).hash(&mut hasher);
        }
        for verifier in passwords.keys() {
            verifier.hash(&mut hasher);
        }
        hasher.finish()
    }

    /// A number in which times count from now, and what is over makes no difference: for worlds in which no call is late and no answer stale.
    pub(crate) fn number_from_now(&self) -> u64 {
        let Self { account, pace: _, rds, reached, view: _, earlier: _, late: _, drawn: _, given, passwords: _ } = self;
        // What is yet to come is never now.
        let whole = |left: SignedDuration| left.as_secs() + i64::from(left.subsec_nanos() > 0);
        let ago = |at: Timestamp| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(whole(at.duration_since(*reached)));
        let mut hasher = DefaultHasher::new();
        for instance in rds.instances.values() {
            let mut from_now = instance.clone();
            let times = account.times(instance);
            let still = [times.optimization, times.storage_cooldown].into_iter().max().unwrap_or_default();
            let still = SignedDuration::try_from(still).unwrap_or(SignedDuration::MAX);
            // Nobody is shown these.
            (from_now.created_at, from_now.restorable_since) = (Timestamp::UNIX_EPOCH, None);
            (from_now.backed_up_at, from_now.restored_at) = (None, None);
            let changed = instance.storage_changed_at.filter(|at| reached.duration_since(*at) < still);
            from_now.storage_changed_at = changed.map(ago);
            // A rest has no end.
            let rests = matches!(instance.phase.activity, Activity::Available | Activity::Failed);
            from_now.phase.since = if rests { Timestamp::UNIX_EPOCH } else { ago(instance.phase.since) };
            from_now.hash(&mut hasher);
        }
        for snapshot in rds.snapshots.values() {
            (&snapshot.id, snapshot.kind, snapshot.status, &snapshot.source.resource_id).hash(&mut hasher);
            (snapshot.created_at < *reached).hash(&mut hasher);
        }
        rds.parameter_groups.hash(&mut hasher);
        given.hash(&mut hasher);
        hasher.finish()
    }

    /// Without what was shown before, and without the automated backups of instances that are gone.
    pub(crate) fn without_a_past(mut self) -> Self {
        self.earlier.clear();
        self.rds.retained.clear();
        self
    }

    /// What is shown now.
    pub(crate) fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// What was shown up to a minute ago.
    pub(super) fn earlier(&self) -> &Arc<View> {
        self.earlier.front().map_or(&self.view, |(_, view)| view)
    }

    /// What a source has to be restored.
    pub(super) fn backups(&self, source: &Source, now: Timestamp) -> Vec<Backup> {
        match source {
            Source::Snapshot(name) => {
                let found = self.rds.snapshots.get(&name.to_lowercase());
                found.map(|snapshot| convert::whole(&shown::snapshot(snapshot))).into_iter().collect()
            }
            Source::Instance(identifier) => {
                let named = Params::from_iter([("DBInstanceIdentifier", identifier.as_str())]);
                let page = actions::describe_backups(&self.account, &self.rds, &named, now);
                let found = page.map(|page| page.items).unwrap_or_default();
                found.iter().map(|backup| convert::automated(&shown::automated(&self.account, backup, now))).collect()
            }
        }
    }

    /// How many manual snapshots there are, and may be.
    pub(super) fn snapshot_quota(&self) -> Option<Quota> {
        let quotas = actions::describe_account_attributes(&self.account, &self.rds);
        convert::snapshot_quota(&quotas.iter().map(shown::quota).collect::<Vec<_>>())
    }

    /// What RDS is going to do to instances by itself.
    pub(crate) fn maintenance(&self, now: Timestamp) -> BTreeMap<String, Vec<Maintenance>> {
        let pending = self.rds.instances.values().filter(|instance| !instance.maintenance.is_empty());
        pending.filter_map(|instance| convert::maintenance(&shown::maintenance(&self.account, instance, now))).collect()
    }

    /// A group of parameters that somebody made.
    pub(crate) fn group(&self, name: &str) -> Option<Group> {
        let group = self.rds.parameter_groups.get(name)?;
        let values = group.values().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let cluster = marks::read(&group.tags).cluster;
        Some(Group { name: group.name.clone(), family: group.family.clone(), cluster, values })
    }

    pub(crate) fn groups(&self) -> Vec<String> {
        self.rds.parameter_groups.keys().cloned().collect()
    }

    /// The parameters that RDS has for a family, the same in every account.
    pub(super) fn parameters(family: &str) -> Result<Offered, ApiError> {
        let (mut all, mut marker) = (Offered::new(), None);
        loop {
            let asked = [("DBParameterGroupFamily".to_owned(), family.to_owned())].into_iter();
            let params: Params = asked.chain(marker.take().map(|marker| ("Marker".to_owned(), marker))).collect();
            let (_, page) = actions::describe_engine_defaults(&params)?;
            all.extend(page.items.iter().filter_map(|found| parameters::parameter(&shown::parameter(found))));
            match page.marker {
                Some(next) => marker = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// When something changes next by itself.
    pub(crate) fn next_moment(&self) -> Option<Timestamp> {
        let late = self.late.first().map(|late| late.due);
        next_moment(&self.account, &self.rds, self.reached).into_iter().chain(late).min()
    }

    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    /// The account may have so many from now on.
    pub(super) fn limit(&mut self, quotas: Quotas) {
        self.account.quotas = quotas;
    }

    /// Lets time pass until `now`; `told` is what happened.
    pub(super) fn play(&mut self, now: Timestamp, told: &mut Vec<Record>) {
        while let Some(at) = self.next_moment().filter(|at| *at <= now) {
            self.reached = self.reached.max(at);
            let at = self.reached;
            if self.late.first().is_some_and(|late| late.due <= at) {
                let Late { sent, call, due: _ } = self.late.remove(0);
                let from = told.len();
                let answer = self.perform(&call, at, By::Operator, told);
                told[from..].iter_mut().for_each(|record| record.sent = Some(sent));
                let about = format!("{}, late", call.subject());
                let code = answer.err().map(|error| error.code);
                let event = CloudEvent::Called { action: call.action.name(), about, mutates: true, code };
                told.push(Record { at, by: By::Operator, sent: Some(sent), event });
            } else {
                let passed = self.change(at, By::Rds, told, |_, _, _| Ok(()));
                passed.expect("nothing is asked for that could be refused");
            }
        }
        self.reached = self.reached.max(now);
        advance(&self.account, &mut self.rds, self.reached);
        while self.earlier.front().is_some_and(|(until, _)| *until < self.reached - STALENESS) {
            self.earlier.pop_front();
        }
    }

    /// Somebody asks for something, which RDS takes or refuses.
    pub(super) fn perform(
        &mut self,
        call: &Call,
        at: Timestamp,
        by: By,
        told: &mut Vec<Record>,
    ) -> Result<(), ApiError> {
        let (before, from) = (self.view.clone(), told.len());
        let required = self.required_upgrade(call.subject());
        let by_name = self.pace == Pace::Brisk;
        self.change(at, by, told, |account, rds, fresh| {
            if by_name {
                fresh.begins_with(&account.arn("db", call.subject()));
            }
            call.perform(account, rds, at, fresh)
        })?;
        if call.action == Action::Delete
            && let Some(before) = before.named(call.subject())
        {
            let final_snapshot = call.params.text("FinalDBSnapshotIdentifier").map(str::to_owned);
            let event = CloudEvent::DeletionAsked { before: Box::new(before.clone()), final_snapshot };
            told.insert(from, Record { at, by, sent: None, event });
        }
        if call.action == Action::Modify
            && call.params.text("ApplyImmediately") == Some("true")
            && let Some(resource_id) = required
        {
            told.push(Record { at, by, sent: None, event: CloudEvent::UpgradeBroughtForward { resource_id } });
        }
        Ok(())
    }

    /// The resource id of the instance of this name, where RDS is going to upgrade its engine by itself.
    fn required_upgrade(&self, identifier: &str) -> Option<String> {
        let instance = self.rds.instances.get(&identifier.to_lowercase())?;
        let upgrade = instance.maintenance.get(&MaintenanceAction::DbUpgrade)?;
        upgrade.auto_applied_after.map(|_| instance.resource_id.clone())
    }

    /// Changes what there is, begins the work behind it, and tells of what is seen of both. A refusal changes nothing.
    pub(super) fn change(
        &mut self,
        at: Timestamp,
        by: By,
        told: &mut Vec<Record>,
        change: impl FnOnce(&Account, &mut State, &mut Drawn) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        let phases = self.rds.instances.values().map(|instance| (instance.resource_id.clone(), instance.phase.clone()));
        let phases: BTreeMap<String, Phase> = phases.collect();
        let mut fresh = Drawn::new(&self.given, &self.account.arn("db", ""));
        change(&self.account, &mut self.rds, &mut fresh)?;
        for id in &fresh.ids {
            self.account.timetables.insert(id.clone(), self.pace.timetable(self.drawn));
            self.drawn += 1;
        }
        if !fresh.ids.is_empty() {
            self.given.insert(fresh.of, fresh.count);
        }
        self.passwords.extend(fresh.passwords);
        advance(&self.account, &mut self.rds, at);
        self.rds.forget_events();
        let view = Arc::new(View::new(&self.account, &self.rds, at));
        let seen = self.view.until(&view);
        told.extend(seen.into_iter().chain(self.servers(&phases)).map(|event| Record { at, by, sent: None, event }));
        if view != self.view {
            let before = std::mem::replace(&mut self.view, view);
            self.earlier.push_back((at, before));
        }
        Ok(())
    }

    /// What has been done to servers since the instances were in these phases.
    fn servers(&self, before: &BTreeMap<String, Phase>) -> Vec<CloudEvent> {
        let worked = self.rds.instances.values();
        let worked = worked.filter(|is| is.phase.worked && before.get(&is.resource_id) != Some(&is.phase));
        let password = |verifier: &String| self.passwords.get(verifier).cloned();
        let events = worked.filter_map(|instance| {
            let resource_id = instance.resource_id.clone();
            match &instance.phase.activity {
                Activity::Creating { from_snapshot, point_in_time: _ } => Some(CloudEvent::ServerBegan {
                    resource_id,
                    master_user: instance.master_username.clone(),
                    password: if from_snapshot.is_none() { password(&instance.master_verifier) } else { None },
                    from_snapshot: from_snapshot.clone(),
                }),
                Activity::ResettingCredentials { verifier } if instance.ordered.drop_change.is_none() => {
                    Some(CloudEvent::MasterPassword { resource_id, password: password(verifier) })
                }
                _ => None,
            }
        });
        events.collect()
    }

    /// A call of the operator's is on its way until then.
    pub(super) fn come_late(&mut self, sent: Timestamp, due: Timestamp, call: Call) {
        let place = self.late.partition_point(|late| late.due <= due);
        self.late.insert(place, Late { sent, due, call });
    }
}

/// What is new with every instance, numbered.
pub(super) struct Drawn {
    given: BTreeMap<u64, u64>,
    /// The account and region, or an instance's name in them: no two have an id in common.
    of: u64,
    count: u64,
    ids: Vec<String>,
    passwords: Vec<(String, Password)>,
}

impl Drawn {
    fn new(given: &BTreeMap<u64, u64>, beginning: &str) -> Self {
        let mut drawn = Self { given: given.clone(), of: 0, count: 0, ids: Vec::new(), passwords: Vec::new() };
        drawn.begins_with(beginning);
        drawn
    }

    /// The next ids follow from this: where it is the name, the order in which instances are made makes no difference.
    fn begins_with(&mut self, beginning: &str) {
        self.of = digest(beginning);
        self.count = self.given.get(&self.of).copied().unwrap_or_default();
    }
}

impl Fresh for Drawn {
    fn resource_id(&mut self) -> String {
        let id = format!("db-{:0>16X}{:0>10}", self.of, self.count);
        self.count += 1;
        self.ids.push(id.clone());
        id
    }

    fn port(&mut self, _: &[u16], wanted: Option<u16>) -> Result<u16, ApiError> {
        Ok(wanted.unwrap_or(PORT))
    }

    fn verifier(&mut self, password: &str) -> String {
        let verifier = format!("{:016x}", digest(password));
        self.passwords.push((verifier.clone(), password.to_owned().into()));
        verifier
    }
}

fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
