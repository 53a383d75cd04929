//! What RDS says while an instance changes, in its own words [RDS User Guide, "Amazon RDS event categories and event
//! messages"].

use super::{Activity, Category, Change, Instance};

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
    changes([class, storage, zones])
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
    let patched = change.engine_version.map(|_| (Category::Maintenance, "Database instance patched".to_owned()));
    changes([class, storage, zones, backups]).into_iter().chain(patched).collect()
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
