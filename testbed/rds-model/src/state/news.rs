//! What RDS says while an instance changes, in its own words [RDS User Guide, "Amazon RDS event categories and event
//! messages"].

use super::{Activity, Category, Change, FailedUpgrade, Instance};

/// One event: its category and its message.
pub(crate) type News = (Category, String);

/// What is said when the work of an activity is done: that it is under way.
pub(crate) fn begun(instance: &Instance) -> Vec<News> {
    match &instance.phase.activity {
        Activity::BackingUp { .. } => vec![(Category::Backup, "Backing up DB instance".to_owned())],
        Activity::Modifying { change } => applying(change, instance),
        Activity::Rebooting => vec![(Category::Availability, "DB instance shutdown".to_owned())],
        _ => Vec::new(),
    }
}

fn applying(change: &Change, before: &Instance) -> Vec<News> {
    let storage = change.touches_storage().then_some("Applying modification to allocated storage");
    let class = change.class.is_some().then_some("Applying modification to database instance class");
    let zones = change.multi_az.filter(|multi_az| *multi_az != before.multi_az).map(|multi_az| match multi_az {
        true => "Applying modification to convert to a Multi-AZ DB instance",
        false => "Applying modification to convert to a standard (Single-AZ) DB instance",
    });
    let patches = (!change.maintenance.is_empty()).then(|| maintenance(&["Applying off-line patches to DB instance"]));
    changes([class, storage, zones]).into_iter().chain(patches.into_iter().flatten()).collect()
}

/// What is said when a change of the instance that was `before` is made.
pub(crate) fn applied(change: &Change, before: &Instance) -> Vec<News> {
    let storage = change.touches_storage().then_some("Finished applying modification to allocated storage");
    let class = change.class.is_some().then_some("Finished applying modification to DB instance class");
    let zones = change.multi_az.filter(|multi_az| *multi_az != before.multi_az).map(|multi_az| match multi_az {
        true => "Finished applying modification to convert to a Multi-AZ DB instance",
        false => "Finished applying modification to convert to a standard (Single-AZ) DB instance",
    });
    let backups = change.backup_retention.and_then(|days| match (before.backup_retention, days) {
        (0, 0) => None,
        (0, _) => Some("Enabled automated backups"),
        (_, 0) => Some("Disabled automated backups"),
        _ => None,
    });
    let version = match change.engine_version {
        None => Vec::new(),
        Some(_) if change.is_major_upgrade(before.engine_version) => maintenance(UPGRADE_FINISHED),
        Some(_) => maintenance(&["Database instance patched"]),
    };
    let patches = match change.maintenance.is_empty() {
        true => Vec::new(),
        false => maintenance(&["Finished applying off-line patches to DB instance"]),
    };
    changes([class, storage, zones, backups]).into_iter().chain(version).chain(patches).collect()
}

/// RDS-EVENT-0267.
pub(crate) const UPGRADE_STARTED: &str = "The engine version upgrade started.";
/// RDS-EVENT-0264 and 0265.
const UPGRADE_CHECKED: &[&str] = &[
    "The pre-check started for the DB engine version upgrade.",
    "The pre-check finished for the DB engine version upgrade.",
];
/// RDS-EVENT-0268 and 0269.
const UPGRADE_FINISHED: &[&str] = &["The engine version upgrade finished.", "The post-upgrade tasks are in progress."];

/// What is said when the checks before an upgrade are over.
pub(crate) fn upgrade_checked() -> Vec<News> {
    maintenance(UPGRADE_CHECKED)
}

/// What is said when an upgrade begins whose checks found nothing in the way.
pub(crate) fn upgrade_begun() -> Vec<News> {
    // RDS-EVENT-0266.
    let begun = maintenance(&["The downtime started for the DB instance.", UPGRADE_STARTED]);
    upgrade_checked().into_iter().chain(begun).collect()
}

/// What is said when an upgrade has come to nothing.
pub(crate) fn upgrade_failed(failure: &FailedUpgrade) -> News {
    match failure {
        // RDS-EVENT-0158.
        FailedUpgrade::Refused(reason) => {
            (Category::Notification, format!("Database instance is in a state that cannot be upgraded: {reason}"))
        }
        // RDS-EVENT-0270.
        FailedUpgrade::RolledBack => (
            Category::Maintenance,
            "The DB engine version upgrade failed. The engine version upgrade rollback succeeded.".to_owned(),
        ),
    }
}

fn maintenance(said: &[&str]) -> Vec<News> {
    said.iter().map(|message| (Category::Maintenance, (*message).to_owned())).collect()
}

fn changes(said: impl IntoIterator<Item = Option<&'static str>>) -> Vec<News> {
    said.into_iter().flatten().map(|message| (Category::ConfigurationChange, message.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::instance;

    #[test]
    fn each_change_has_words_of_its_own() {
        let change = Change {
            class: Some("db.t4g.small".into()),
            allocated_storage: Some(30),
            multi_az: Some(true),
            backup_retention: Some(0),
            ..Change::default()
        };
        let messages = |news: Vec<News>| news.into_iter().map(|(_, message)| message).collect::<Vec<_>>();
        let before = instance("orders");
        assert_eq!(
            messages(applying(&change, &before)),
            [
                "Applying modification to database instance class",
                "Applying modification to allocated storage",
                "Applying modification to convert to a Multi-AZ DB instance",
            ]
        );
        assert_eq!(
            messages(applied(&change, &before)),
            [
                "Finished applying modification to DB instance class",
                "Finished applying modification to allocated storage",
                "Finished applying modification to convert to a Multi-AZ DB instance",
                "Disabled automated backups",
            ]
        );
    }

    #[test]
    fn another_number_of_days_is_no_news() {
        let change = Change { backup_retention: Some(14), ..Change::default() };
        assert!(applied(&change, &instance("orders")).is_empty());
    }
}
