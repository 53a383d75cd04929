//! What a request means for those who use the database, or pay for it: said of each of them, or it does not compile.

use std::collections::BTreeSet;

use shared::rules::{Impact, dearer_class};

use super::offer::Offer;
use super::request::{Delete, Modify, Request};
use super::settings::Settings;

impl Request {
    /// What it means, to an instance that runs with these settings.
    pub(crate) fn impact(&self, offer: &dyn Offer, running: &Settings) -> BTreeSet<Impact> {
        let means: &[Impact] = match self {
            // It is billed from then on.
            Self::Create(_) | Self::Restore(_) | Self::Snapshot(_) => &[Impact::Cost],
            Self::Modify(Modify { change, .. }) => return of_change(change, offer, running),
            Self::Delete(Delete { final_snapshot: Some(_), .. }) => &[Impact::Outage],
            Self::Delete(Delete { final_snapshot: None, .. }) => &[Impact::Outage, Impact::Irreversible],
            Self::DeleteSnapshot(_) => &[Impact::Irreversible],
            Self::Reboot(_) => &[Impact::BriefOutage],
            Self::ResetMaster(_) | Self::Mark(_) | Self::CreateGroup(_) | Self::FillGroup(_) | Self::DeleteGroup(_) => {
                &[]
            }
        };
        means.iter().copied().collect()
    }
}

/// What other settings mean. That they are an outage, the provider tells.
fn of_change(change: &Settings, offer: &dyn Offer, running: &Settings) -> BTreeSet<Impact> {
    fn more<T: PartialOrd>(wanted: Option<T>, have: Option<T>) -> bool {
        wanted.is_some_and(|wanted| have.is_none_or(|have| wanted > have))
    }
    let Settings {
        engine_version,
        auto_minor_version_upgrade: _,
        instance_class,
        allocated_gib,
        iops,
        throughput,
        storage_type,
        max_allocated_gib,
        multi_az,
        extended_support,
        backup_retention_days,
        backup_window: _,
        maintenance_window: _,
        deletion_protection: _,
        security_groups: _,
        subnet_group: _,
        kms_key: _,
        parameter_group: _,
    } = change;
    let other_type = storage_type.is_some() && *storage_type != running.storage_type;
    let fewer_days =
        backup_retention_days.zip(running.backup_retention_days).is_some_and(|(wanted, have)| wanted < have);
    let dearer_instance = instance_class
        .as_deref()
        .is_some_and(|wanted| running.instance_class.as_deref().is_none_or(|have| dearer_class(have, wanted)));
    let grows = more(*allocated_gib, running.allocated_gib);
    // The provider says whether and when; what goes with the size alone may be said without being otherwise.
    let dearer = grows
        || dearer_instance
        || other_type
        || more(*iops, running.iops)
        || more(*throughput, running.throughput)
        || more(*max_allocated_gib, running.max_allocated_gib)
        || *multi_az == Some(true) && running.multi_az != Some(true)
        || *extended_support == Some(true) && running.extended_support != Some(true)
        || more(*backup_retention_days, running.backup_retention_days);
    let risen = engine_version.is_some() && *engine_version != running.engine_version;
    let outage = !offer.impact(change, running).outage.clone().beyond(running, &Settings::default()).is_empty();
    [(outage, Impact::Outage), (grows || risen || fewer_days, Impact::Irreversible), (dearer, Impact::Cost)]
        .into_iter()
        .filter_map(|(means, impact)| means.then_some(impact))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::offer;

    #[test]
    fn each_setting_says_what_it_costs() {
        use Impact::{Cost, Irreversible, Outage};
        let one = Settings::default;
        let running = Settings {
            engine_version: Some("16.4".into()),
            instance_class: Some("db.t4g.small".into()),
            allocated_gib: Some(100),
            iops: Some(3000),
            throughput: Some(125),
            storage_type: Some("gp3".into()),
            max_allocated_gib: Some(100),
            multi_az: Some(false),
            extended_support: Some(false),
            backup_retention_days: Some(7),
            ..one()
        };
        for (change, means) in [
            (Settings { engine_version: Some("16.6".into()), ..one() }, &[Outage, Irreversible][..]),
            (Settings { instance_class: Some("db.t4g.micro".into()), ..one() }, &[Outage]),
            (Settings { instance_class: Some("db.t4g.large".into()), ..one() }, &[Outage, Cost]),
            (Settings { instance_class: Some("db.r8g.large".into()), ..one() }, &[Outage, Cost]),
            (Settings { allocated_gib: Some(200), ..one() }, &[Irreversible, Cost]),
            // What is said with the rest is no growth.
            (Settings { allocated_gib: Some(100), iops: Some(6000), ..one() }, &[Cost]),
            (Settings { throughput: Some(500), ..one() }, &[Cost]),
            (Settings { iops: Some(2000), ..one() }, &[]),
            (Settings { storage_type: Some("gp2".into()), ..one() }, &[Cost]),
            (Settings { storage_type: Some("standard".into()), ..one() }, &[Outage, Cost]),
            (Settings { max_allocated_gib: Some(500), ..one() }, &[Cost]),
            (Settings { multi_az: Some(true), ..one() }, &[Cost]),
            (Settings { multi_az: Some(false), ..one() }, &[]),
            (Settings { extended_support: Some(true), ..one() }, &[Cost]),
            (Settings { extended_support: Some(false), ..one() }, &[]),
            (Settings { backup_retention_days: Some(14), ..one() }, &[Cost]),
            (Settings { backup_retention_days: Some(3), ..one() }, &[Irreversible]),
            (Settings { deletion_protection: Some(true), maintenance_window: Some("x".into()), ..one() }, &[]),
        ] {
            let found: Vec<_> = of_change(&change, offer(None), &running).into_iter().collect();
            assert_eq!(found, means, "{change}");
        }
    }
}
