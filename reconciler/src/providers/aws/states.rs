//! RDS's words for the state of an instance, and what they mean.

use crate::providers::state::{Changes, Course, FinalSnapshot, Phase, State};

/// A state by RDS's word. One that is not known is one that will pass.
///
/// Words from the RDS user guide, "Viewing Amazon RDS DB instance status"; what is possible in them from "Modifying", "Deleting" and
/// "Creating a DB snapshot". Where the guide is silent, the careful answer stands.
pub(crate) fn state(word: &str) -> State {
    State::new(word, phase(word))
}

fn phase(word: &str) -> Phase {
    use Changes::{All, ButStorage, None, Storage};
    use Course::{Creating, Deleting, Passing, Settled, Slow, Stuck};
    use FinalSnapshot::{Impossible, Later, Possible};
    let (course, serves, takes, final_snapshot) = match word {
        "available" => (Settled, true, All, Possible),
        "storage-optimization" => (Slow, true, ButStorage, Possible),
        "storage-initialization" | "storage-config-upgrade" => (Slow, true, None, Possible),
        "backing-up" | "modifying" | "delete-precheck" | "resetting-master-credentials" => (Passing, true, None, Later),
        _ if word.starts_with("configuring-") => (Passing, true, None, Later),
        "creating" => (Creating, false, None, Later),
        "deleting" => (Deleting, false, None, Later),
        "stopped" => (Stuck("start the instance; RDS does so by itself after seven days"), false, None, Possible),
        "storage-full" => (Stuck("raise spec.size"), false, Storage, Impossible),
        "modify-failed" | "upgrade-failed" => (
            Stuck("see in the instance's events why the change failed, mend that, and change the spec"),
            true,
            All,
            Possible,
        ),
        "failed" => (Stuck("restore the database from its newest backup into a new instance"), false, None, Impossible),
        "incompatible-restore" | "restore-error" => {
            (Stuck("restore to another time or from another snapshot"), false, None, Impossible)
        }
        "incompatible-create" => {
            (Stuck("correct what the class asks for, then make the object anew"), false, None, Impossible)
        }
        "incompatible-network" => (
            Stuck("give the subnet group free addresses and a valid VPC, then start the instance"),
            false,
            None,
            Impossible,
        ),
        "insufficient-capacity" => (
            Stuck(
                "RDS has no capacity for this instance class in these zones: make the object anew in some hours, or with another one",
            ),
            false,
            None,
            Impossible,
        ),
        "incompatible-credentials" => {
            (Stuck("mend the credentials that RDS names in the instance's events"), false, None, Impossible)
        }
        "incompatible-option-group" | "incompatible-parameters" => {
            (Stuck("mend the option or parameter group, then reboot the instance"), false, None, Impossible)
        }
        "inaccessible-encryption-credentials" => (
            Stuck("RDS has lost the KMS key for good: restore a backup, which takes a key that works"),
            false,
            None,
            Impossible,
        ),
        "inaccessible-encryption-credentials-recoverable" => {
            (Stuck("give RDS access to the KMS key again, then start the instance"), false, None, Impossible)
        }
        _ => (Passing, false, None, Later),
    };
    Phase { course, serves, takes, final_snapshot }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Serves, takes changes, takes changes of storage, and the final snapshot.
    #[test]
    fn words_mean_what_the_guide_says() {
        let table = [
            ("available", true, true, true, FinalSnapshot::Possible),
            ("storage-optimization", true, true, false, FinalSnapshot::Possible),
            ("storage-full", false, false, true, FinalSnapshot::Impossible),
            ("backing-up", true, false, false, FinalSnapshot::Later),
            ("configuring-enhanced-monitoring", true, false, false, FinalSnapshot::Later),
            ("rebooting", false, false, false, FinalSnapshot::Later),
            ("creating", false, false, false, FinalSnapshot::Later),
            ("stopped", false, false, false, FinalSnapshot::Possible),
            ("upgrade-failed", true, true, true, FinalSnapshot::Possible),
            ("insufficient-capacity", false, false, false, FinalSnapshot::Impossible),
            ("incompatible-parameters", false, false, false, FinalSnapshot::Impossible),
            ("inaccessible-encryption-credentials", false, false, false, FinalSnapshot::Impossible),
            ("a-state-of-the-future", false, false, false, FinalSnapshot::Later),
        ];
        for (word, serves, modifiable, storage, snapshot) in table {
            let state = state(word);
            let found = (state.serves(), state.modifiable(), state.storage_modifiable(), state.final_snapshot());
            assert_eq!(found, (serves, modifiable, storage, snapshot), "{word}");
        }
    }

    #[test]
    fn what_does_not_pass_by_itself_is_told_and_not_looked_at_each_second() {
        for word in ["failed", "upgrade-failed", "modify-failed", "stopped", "insufficient-capacity"] {
            assert!(state(word).stuck().is_some() && !state(word).passing(), "{word}");
        }
        let remedies =
            ["", "-recoverable"].map(|end| state(&format!("inaccessible-encryption-credentials{end}")).stuck());
        assert_ne!(remedies[0], remedies[1], "one is lost, the other waits for its key");
        assert!(state("rebooting").passing() && !state("storage-optimization").passing());
    }
}
