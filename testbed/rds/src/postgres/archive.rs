//! What outlives a server: its data in a final snapshot, and the write-ahead log that its automated backup keeps.

use std::io;
use std::path::{Path, PathBuf};

use super::{Layout, PostgresError, remove_dir};

/// Moves the data directory of a stopped server into its final snapshot. Done again after an interruption, it finds it moved.
pub(crate) fn keep_as_snapshot(layout: &Layout, resource_id: &str, snapshot: &str) -> Result<(), PostgresError> {
    let (data, target) = (layout.data(resource_id), layout.snapshot(snapshot));
    if !data.exists() {
        return if target.exists() { Ok(()) } else { Err(PostgresError::EmptySnapshot(snapshot.to_owned())) };
    }
    remove_dir(&target)?;
    if let Some(parent) = target.parent() {
        std::fs::create_dir_all(parent).map_err(PostgresError::file(parent))?;
    }
    std::fs::rename(&data, &target).map_err(PostgresError::file(data))
}

/// Removes everything of an instance that is gone, but for the write-ahead log where its automated backup is retained.
pub(crate) fn discard(layout: &Layout, resource_id: &str, retained: bool) -> Result<(), PostgresError> {
    let folder = layout.instance(resource_id);
    if !retained {
        return remove_dir(&folder);
    }
    let kept = layout.archives(resource_id);
    for entry in files(&folder).map_err(PostgresError::file(&folder))? {
        let removed = match entry.is_dir() {
            _ if entry == kept => Ok(()),
            true => std::fs::remove_dir_all(&entry),
            false => std::fs::remove_file(&entry),
        };
        removed.map_err(PostgresError::file(entry))?;
    }
    Ok(())
}

/// Gives the files of an archive also to `target`, without copying them.
pub(super) fn link(archive: &Path, target: &Path) -> io::Result<()> {
    std::fs::create_dir_all(target)?;
    for file in files(archive)? {
        if let Some(name) = file.file_name() {
            std::fs::hard_link(&file, target.join(name))?;
        }
    }
    Ok(())
}

/// Removes the segments that none of these snapshots needs, which hold the data of one instance.
pub(crate) fn prune(layout: &Layout, resource_id: &str, snapshots: &[String]) -> io::Result<()> {
    let first = snapshots.iter().filter_map(|id| first_segment(&layout.snapshot(id))).min();
    let Some(first) = first else {
        return Ok(());
    };
    for archive in files(&layout.archives(resource_id))? {
        // Histories of timelines and labels of backups have other names, and are small.
        let old = |path: &PathBuf| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.len() == 24 && *name < *first)
        };
        for segment in files(&archive)?.into_iter().filter(old) {
            std::fs::remove_file(segment)?;
        }
    }
    Ok(())
}

/// Where a recovery from a base backup begins, by its label: `START WAL LOCATION: 0/4000028 (file 000000010000000000000001)`.
fn first_segment(snapshot: &Path) -> Option<String> {
    let label = std::fs::read_to_string(snapshot.join("backup_label")).ok()?;
    let (_, rest) = label.split_once("(file ")?;
    rest.split_once(')').map(|(name, _)| name.to_owned())
}

/// What is in a folder; nothing, where it is not there.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match folder.read_dir() {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_go_when_no_backup_needs_them() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path().to_owned());
        let archive = layout.archive("db-1", 17);
        std::fs::create_dir_all(&archive).unwrap();
        let segment = |n: u32| format!("0000000100000000{n:08}");
        let names = [segment(1), segment(2), segment(3), "00000002.history".to_owned()];
        for name in &names {
            std::fs::write(archive.join(name), name).unwrap();
        }
        for (id, n) in [("rds:a", 2), ("rds:b", 3)] {
            std::fs::create_dir_all(layout.snapshot(id)).unwrap();
            let label = format!("START WAL LOCATION: 0/{n}000028 (file {})\nCHECKPOINT LOCATION: 0/1\n", segment(n));
            std::fs::write(layout.snapshot(id).join("backup_label"), label).unwrap();
        }
        prune(&layout, "db-1", &["rds:a".to_owned(), "rds:b".to_owned()]).unwrap();
        let left = |folder: &Path| {
            let mut left: Vec<_> = files(folder).unwrap();
            left.sort();
            left.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(left(&archive), names[1..]);
        std::fs::create_dir_all(layout.data("db-1")).unwrap();
        discard(&layout, "db-1", true).unwrap();
        assert_eq!((left(&layout.instance("db-1")).len(), left(&archive).len()), (1, 3));
        link(&archive, &folder.path().join("linked")).unwrap();
        discard(&layout, "db-1", false).unwrap();
        assert!(!layout.instance("db-1").exists());
        assert_eq!(std::fs::read_to_string(folder.path().join("linked").join(&names[2])).unwrap(), names[2]);
    }
}
