//! CopyDBSnapshot: a manual snapshot of one's own from any other, which outlives the retention of an automated one.

use jiff::Timestamp;

use super::{fields, snapshots};
use crate::account::Account;
use crate::error::ApiError;
use crate::params::Params;
use crate::state::{Category, Snapshot, SnapshotCopy, SnapshotStatus, Source, State, Tags};

/// Begins a copy. It has no tags but those of the request and, where that says so, those of what is copied.
pub fn copy_snapshot(
    account: &Account,
    state: &mut State,
    params: &Params,
    now: Timestamp,
) -> Result<Snapshot, ApiError> {
    let from = account.id_of("snapshot", params.required("SourceDBSnapshotIdentifier")?);
    let id = fields::identifier(params, "TargetDBSnapshotIdentifier", 255)?;
    let original = state.snapshots.get(&from).ok_or_else(|| ApiError::snapshot_not_found(&from))?.clone();
    if !original.available() {
        return Err(ApiError::invalid_snapshot_state(format!(
            "Cannot copy the snapshot {from}: it is not in the available state."
        )));
    }
    elsewhere(account, params)?;
    let copied = if params.boolean("CopyTags")?.unwrap_or(false) { original.tags.clone() } else { Tags::new() };
    let tags = copied.into_iter().chain(fields::tags(params)?).collect();
    fields::check_tag_count(&tags)?;
    let mut source = original.source.clone();
    if let Some(key) = params.text("KmsKeyId") {
        (source.storage_encrypted, source.kms_key_id) = (true, Some(account.key_arn(key)));
    }
    let copy = SnapshotCopy { from: from.clone(), original_created_at: original.original_created_at() };
    let begun = snapshots::begin_manual(account, state, &source, &id, Some(tags), now)?;
    begun.copy = Some(copy);
    let begun = begun.clone();
    let message = format!("Copying snapshot {from} to {id}");
    state.record(Source::DbSnapshot(id), Category::Creation, message, now);
    Ok(begun)
}

/// The copy is complete.
pub fn finish_copy(state: &mut State, id: &str, now: Timestamp) {
    let Some(snapshot) = state.snapshots.get_mut(id).filter(|snapshot| snapshot.copy.is_some()) else {
        return;
    };
    (snapshot.status, snapshot.completed_at) = (SnapshotStatus::Available, Some(now));
    let from = snapshot.copy.as_ref().map(|copy| copy.from.clone()).unwrap_or_default();
    let message = format!("Finished copy of snapshot {from} to {id}");
    state.record(Source::DbSnapshot(id.to_owned()), Category::Creation, message, now);
}

/// Snapshots are stored in the region, and PostgreSQL has one option group.
fn elsewhere(account: &Account, params: &Params) -> Result<(), ApiError> {
    if let Some(target) = params.text("SnapshotTarget").filter(|target| *target != "region") {
        return Err(ApiError::invalid_value(format!("Invalid SnapshotTarget: {target}")));
    }
    let zones = ["TargetCustomAvailabilityZone", "SnapshotAvailabilityZone"];
    if let Some(zone) = zones.iter().find_map(|name| params.text(name)) {
        let message = format!("Custom Availability Zone {zone} not found in {}.", account.region);
        return Err(ApiError::of("CustomAvailabilityZoneNotFound", message));
    }
    match params.text("OptionGroupName").filter(|name| !name.starts_with("default:postgres-")) {
        Some(name) => {
            Err(ApiError::of("OptionGroupNotFoundFault", format!("Specified OptionGroupName: {name} not found.")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Quotas;
    use crate::advance::{advance, next_moment};
    use crate::backups;
    use crate::state::SnapshotKind;
    use crate::testing::{account, at, instance};

    fn state() -> (State, String) {
        let mut state = State::default();
        let source = crate::state::Instance { tags: [("team".into(), "shop".into())].into(), ..instance("orders") };
        let automated = backups::automated(&state, &source, at(0));
        let id = automated.id.clone();
        state.snapshots.insert(id.clone(), Snapshot { status: SnapshotStatus::Available, ..automated });
        (state, id)
    }

    fn copy(account: &Account, state: &mut State, from: &str, more: &[(&str, &str)]) -> Result<Snapshot, ApiError> {
        let names = [("SourceDBSnapshotIdentifier", from), ("TargetDBSnapshotIdentifier", "Kept")];
        copy_snapshot(account, state, &names.iter().chain(more).copied().collect(), at(500))
    }

    #[test]
    fn a_copy_is_manual_takes_its_time_and_keeps_the_moment_of_its_data() {
        let (account, (mut state, from)) = (account(), state());
        let begun = copy(&account, &mut state, &account.arn("snapshot", &from), &[]).unwrap();
        assert_eq!((begun.id.as_str(), begun.kind, begun.status.name()), ("kept", SnapshotKind::Manual, "creating"));
        assert_eq!((begun.created_at, begun.original_created_at()), (at(500), at(0)));
        assert!(begun.tags.is_empty() && backups::in_use(&state, &from));
        assert_eq!(next_moment(&account, &state, at(500)), Some(at(560)));
        advance(&account, &mut state, at(560));
        assert!(state.snapshots["kept"].available() && !backups::in_use(&state, &from));
        assert_eq!(next_moment(&account, &state, at(560)), None);
    }

    #[test]
    fn tags_are_copied_when_that_is_asked_for() {
        let own = [("Tags.Tag.1.Key", "own"), ("Tags.Tag.1.Value", "x")];
        for (more, expected) in [(&[][..], "own"), (&[("CopyTags", "true")][..], "own team")] {
            let (mut state, from) = state();
            let more: Vec<_> = own.iter().chain(more).copied().collect();
            let tags = copy(&account(), &mut state, &from, &more).unwrap().tags;
            assert_eq!(tags.into_keys().collect::<Vec<_>>().join(" "), expected);
        }
    }

    #[test]
    fn a_copy_counts_and_has_a_name_of_its_own() {
        let (mut state, from) = state();
        let full = Account { quotas: Quotas { manual_snapshots: 0, ..Quotas::default() }, ..account() };
        let code = |answer: Result<Snapshot, ApiError>| answer.unwrap_err().code;
        assert_eq!(code(copy(&full, &mut state, &from, &[])), "SnapshotQuotaExceeded");
        assert_eq!(code(copy(&account(), &mut state, "none", &[])), "DBSnapshotNotFound");
        copy(&account(), &mut state, &from, &[]).unwrap();
        assert_eq!(code(copy(&account(), &mut state, &from, &[])), "DBSnapshotAlreadyExists");
        let unfinished = [("SourceDBSnapshotIdentifier", "kept"), ("TargetDBSnapshotIdentifier", "another")];
        let refused = copy_snapshot(&account(), &mut state, &unfinished.into_iter().collect(), at(501));
        assert_eq!(code(refused), "InvalidDBSnapshotState");
    }
}
