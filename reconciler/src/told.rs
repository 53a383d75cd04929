//! What people were told of an object, so that they are told once.

use std::collections::{BTreeMap, VecDeque};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

/// What people were told of an object, by what it is about: the last of what was told, until it has passed. What takes turns with something else
/// is told once as well.
#[derive(Clone, Debug, Default)]
pub struct Told(Option<BTreeMap<String, VecDeque<String>>>);

/// So much is remembered of what was told about one thing.
const REMEMBERED: usize = 8;

impl Told {
    /// Takes over what an earlier process has told, which left it in the conditions. Only the first call does anything.
    pub(crate) fn begin<'a>(&mut self, conditions: impl IntoIterator<Item = &'a Condition>) {
        self.0.get_or_insert_with(|| {
            let summary = |kind: &str| matches!(kind, "Ready" | "Reconciling" | "Stalled");
            let told = conditions.into_iter().filter(|found| found.status == "False" && !summary(&found.type_));
            told.map(|found| (found.type_.clone(), [found.message.clone()].into())).collect()
        });
    }

    /// Whether this was not told yet, about whatever it was; from now on it was.
    pub(crate) fn news(&mut self, about: &str, note: &str) -> bool {
        const MORE: char = '…';
        let told = self.0.get_or_insert_default();
        // A status may hold the beginning of a long message.
        let same = |said: &String| said == note || said.strip_suffix(MORE).is_some_and(|begun| note.starts_with(begun));
        let news = !told.values().flatten().any(same);
        let notes = told.entry(about.to_owned()).or_default();
        if !notes.iter().any(same) {
            notes.truncate(REMEMBERED - 1);
            notes.push_front(note.to_owned());
        }
        news
    }

    /// That has passed: if it comes back, it is news again.
    pub(crate) fn forget(&mut self, about: &str) {
        if let Some(told) = &mut self.0 {
            told.remove(about);
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;
    use crate::plan::reason::Reason;

    #[test]
    fn i13_the_same_is_told_once_until_it_has_passed() {
        let mut told = Told::default();
        assert!(told.news("StorageReady", "the class does not permit it"));
        assert!(!told.news("StorageReady", "the class does not permit it"), "again");
        assert!(!told.news("BackupsReady", "the class does not permit it"), "twice in one pass");
        assert!(told.news("StorageReady", "refused"));
        assert!(!told.news("StorageReady", "the class does not permit it"), "both take turns");
        told.forget("StorageReady");
        assert!(told.news("StorageReady", "refused"), "it has come back");
    }

    #[test]
    fn i13_what_an_earlier_process_has_told_is_not_told_again() {
        let condition = |kind: &str, status: &str, message: &str| Condition {
            type_: kind.into(),
            status: status.into(),
            reason: Reason::RefusedByCloud.to_string(),
            message: message.into(),
            observed_generation: None,
            last_transition_time: Time(jiff::Timestamp::UNIX_EPOCH),
        };
        let conditions = [
            condition("InstanceReady", "False", "InvalidParameterValue"),
            condition("Ready", "False", "InvalidParameterValue"),
            condition("DatabasesReady", "False", "long…"),
            condition("SecretsReady", "True", "3 Secrets"),
        ];
        let mut told = Told::default();
        told.begin(&conditions);
        assert!(
            !told.news("InstanceReady", "InvalidParameterValue") && !told.news("DatabasesReady", "longer than that")
        );
        assert!(told.news("SecretsReady", "3 Secrets"), "what was well was no Event");
        told.forget("InstanceReady");
        told.begin(&conditions);
        assert!(told.news("InstanceReady", "InvalidParameterValue"), "what has passed is not taken over again");
    }
}
