//! What must be so in the end, as functions of what was found: nothing is asked here.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};

use super::{census::Seen, clients::Ledger};

/// All that was found when everything had come to rest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// The objects: their names, uids, and the instances that their statuses name.
    pub(crate) objects: Vec<Object>,
    pub(crate) instances: Vec<Instance>,
    pub(crate) seen: Seen,
    /// The available final snapshots, by what they were made of.
    pub(crate) final_snapshots: BTreeMap<String, String>,
    /// What the applications were promised.
    pub(crate) acknowledged: Vec<(String, Ledger)>,
    /// What is there: in the databases that serve, and in those that were restored.
    pub(crate) present: Ledger,
    /// Logins that do not work.
    pub(crate) locked_out: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) resource: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) resource: String,
    /// The uid in its tags.
    pub(crate) owner: Option<String>,
}

impl Found {
    /// A database holds these rows. One that came back has the mark of the one before.
    pub(crate) fn holds(&mut self, held: Option<(String, BTreeSet<i64>)>) {
        if let Some((mark, rows)) = held {
            self.present.entry(mark).or_default().extend(rows);
        }
    }

    /// Everything that is not as it must be.
    pub(crate) fn faults(&self) -> Vec<String> {
        [self.one_instance_each(), self.no_orphans(), self.snapshots(), self.rows(), self.passwords()].concat()
    }

    /// How many rows were acknowledged, and how many are there.
    pub(crate) fn rows_counted(&self) -> (usize, usize) {
        let acknowledged = self.acknowledged.iter().flat_map(|(_, ledger)| ledger.values());
        (acknowledged.map(BTreeSet::len).sum(), self.present.values().map(BTreeSet::len).sum())
    }

    fn one_instance_each(&self) -> Vec<String> {
        let doubles = self.seen.doubles.iter().map(|double| format!("I1: two instances at once, {double}"));
        let each = self.objects.iter().filter_map(|object| {
            let owned: Vec<_> =
                self.instances.iter().filter(|instance| instance.owner.as_ref() == Some(&object.uid)).collect();
            let Object { name, resource, .. } = object;
            match owned.as_slice() {
                [instance] if instance.resource == *resource => None,
                [instance] => Some(format!("I1: {name} says {resource} and has {}", instance.resource)),
                _ => Some(format!("I1: {name} has {} instances", owned.len())),
            }
        });
        doubles.chain(each).collect()
    }

    fn no_orphans(&self) -> Vec<String> {
        let uids: BTreeSet<_> = self.objects.iter().map(|object| Some(&object.uid)).collect();
        let orphans = self.instances.iter().filter(|instance| !uids.contains(&instance.owner.as_ref()));
        orphans.map(|orphan| format!("{} is nobody's: its owner is {:?}", orphan.resource, orphan.owner)).collect()
    }

    fn snapshots(&self) -> Vec<String> {
        let here: BTreeSet<_> = self.instances.iter().map(|instance| &instance.resource).collect();
        let gone = self.seen.born.iter().filter(|(resource, _)| !here.contains(resource));
        let lost = gone.filter(|(resource, _)| !self.final_snapshots.contains_key(*resource));
        lost.map(|(resource, name)| format!("I3: {resource} of {name} is gone without a final snapshot")).collect()
    }

    fn rows(&self) -> Vec<String> {
        let ledgers = self.acknowledged.iter().flat_map(|(name, ledger)| ledger.iter().map(move |rows| (name, rows)));
        let lost = ledgers.filter_map(|(name, (mark, rows))| {
            let nothing = BTreeSet::new();
            let present = self.present.get(mark).unwrap_or(&nothing);
            let missing: Vec<_> = rows.difference(present).collect();
            let (first, last) = (missing.first()?, missing.last()?);
            Some(format!(
                "{} of {} acknowledged rows of {name} are lost, {first} to {last}; its database {mark} has {}",
                missing.len(),
                rows.len(),
                present.len()
            ))
        });
        lost.collect()
    }

    fn passwords(&self) -> Vec<String> {
        self.locked_out.iter().map(|login| format!("I4: {login}")).collect()
    }
}

/// An oracle that finds nothing anywhere proves nothing.
pub(crate) fn finds_what_is_wrong() -> Result<()> {
    let rows = |rows: &[i64]| Ledger::from([("m".to_owned(), rows.iter().copied().collect())]);
    let well = Found {
        objects: vec![Object { name: "db0".into(), uid: "u2".into(), resource: "r2".into() }],
        instances: vec![Instance { resource: "r2".into(), owner: Some("u2".into()) }],
        seen: Seen {
            born: BTreeMap::from([("r1", "db0"), ("r2", "db0")].map(|(key, value)| (key.into(), value.into()))),
            doubles: BTreeSet::new(),
        },
        final_snapshots: BTreeMap::from([("r1".into(), "db0-final".into())]),
        acknowledged: vec![("db0".into(), rows(&[1, 2]))],
        present: rows(&[1, 2, 3]),
        locked_out: Vec::new(),
    };
    ensure!(well.faults().is_empty(), "all is well, and it says {:?}", well.faults());
    let spoil = |what: &str, spoilt: &dyn Fn(&mut Found)| {
        let mut found = well.clone();
        spoilt(&mut found);
        let faults = found.faults();
        ensure!(faults.iter().any(|fault| fault.contains(what)), "wanted {what:?}, found {faults:?}");
        Ok(())
    };
    let orphan = || Instance { resource: "r1".into(), owner: Some("u1".into()) };
    spoil("I1: db0 has 0 instances", &|found| found.instances.clear())?;
    spoil("I1: db0 has 2 instances", &|found| found.instances.extend(found.instances.clone()))?;
    spoil("I1: db0 says r1 and has r2", &|found| found.objects[0].resource = "r1".into())?;
    spoil("I1: two instances at once", &|found| found.seen.doubles.extend(["db0".to_owned()]))?;
    spoil("r1 is nobody's", &|found| found.instances.push(orphan()))?;
    spoil("r1 is nobody's", &|found| found.instances.push(Instance { owner: None, ..orphan() }))?;
    spoil("I3: r1 of db0", &|found| found.final_snapshots.clear())?;
    spoil("1 of 2 acknowledged rows of db0", &|found| found.present = rows(&[2]))?;
    spoil("2 of 2 acknowledged rows of db0", &|found| found.present.clear())?;
    spoil("I4: app", &|found| found.locked_out.push("app".into()))
}
