//! The servers' log files: listed and downloaded as RDS does, and read to count writes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::UNIX_EPOCH;

/// The `log_line_prefix` of RDS: time, client, user and database, process.
pub(crate) const LINE_PREFIX: &str = "%t:%r:%u@%d:[%p]:";
/// No more than this is given at once.
const PORTION: u64 = 1024 * 1024;
/// What ends a portion that was cut.
const TRUNCATED: &str = " [Your log message was truncated]";

/// A log file as DescribeDBLogFiles shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogFile {
    /// With the `error/` in front.
    pub(crate) name: String,
    /// Milliseconds since 1970.
    pub(crate) last_written: u64,
    /// Bytes.
    pub(crate) size: u64,
}

/// A portion of a log file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Portion {
    pub(crate) data: String,
    pub(crate) marker: String,
    pub(crate) pending: bool,
}

/// The log files in a folder, by name.
pub(crate) fn list(folder: &Path) -> io::Result<Vec<LogFile>> {
    let entries = match folder.read_dir() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let written = metadata.modified()?.duration_since(UNIX_EPOCH);
        files.push(LogFile {
            name: format!("error/{}", entry.file_name().to_string_lossy()),
            last_written: written.ok().and_then(|age| age.as_millis().try_into().ok()).unwrap_or_default(),
            size: metadata.len(),
        });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// Where a portion begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// So many bytes in.
    At(u64),
    /// The last lines.
    Tail,
}

/// Reads a portion of at most `lines` lines. The marker is `hour:offset` like the ones RDS gives: opaque to clients.
pub(crate) fn portion(path: &Path, start: Start, lines: usize) -> io::Result<Portion> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let begin = match start {
        Start::At(offset) => offset.min(size),
        Start::Tail => size.saturating_sub(PORTION),
    };
    file.seek(SeekFrom::Start(begin))?;
    let mut content = Vec::new();
    file.take(PORTION).read_to_end(&mut content)?;
    let mut ends: Vec<usize> =
        content.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    if ends.last() != Some(&content.len()) && !content.is_empty() {
        ends.push(content.len());
    }
    let (skip, end) = match start {
        Start::At(_) => {
            let end =
                lines.checked_sub(1).map_or(0, |last| ends.get(last).or(ends.last()).copied().unwrap_or_default());
            (0, end)
        }
        Start::Tail => {
            let before = ends.len().saturating_sub(lines);
            let skip = before.checked_sub(1).map_or(0, |last| ends[last]);
            (skip, content.len())
        }
    };
    let next = begin + end as u64;
    let cut = next < size && content.get(end.wrapping_sub(1)) != Some(&b'\n');
    let mut data = String::from_utf8_lossy(&content[skip..end]).into_owned();
    if cut {
        data.push_str(TRUNCATED);
    }
    Ok(Portion { data, marker: format!("0:{next}"), pending: next < size })
}

/// Reads a marker: `0` is the beginning, others are those of [`portion`].
pub(crate) fn parse_marker(marker: &str) -> Option<Start> {
    if marker == "0" {
        return Some(Start::At(0));
    }
    let (_, offset) = marker.split_once(':')?;
    offset.parse().ok().map(Start::At)
}

/// How many statements that modify were logged in a folder's files, those of the service itself left out.
pub(crate) fn count_writes(folder: &Path) -> io::Result<u64> {
    let mut writes = 0;
    for file in list(folder)? {
        let path = folder.join(file.name.trim_start_matches("error/"));
        let content = std::fs::read(path)?;
        let found = String::from_utf8_lossy(&content).lines().filter(|line| is_write(line)).count();
        writes += found as u64;
    }
    Ok(writes)
}

/// With `log_statement = mod` each such statement makes one line, whichever protocol it came by; its further lines begin with a tab.
fn is_write(line: &str) -> bool {
    let Some((before, after)) = line.split_once(":LOG:  ") else {
        return false;
    };
    let by_service = before.contains(":rdsadmin@");
    !by_service && (after.starts_with("statement: ") || after.starts_with("execute "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_statements_of_others_by_either_protocol() {
        let prefix = "2026-03-01 00:00:00 UTC:127.0.0.1(5000):";
        let cases = [
            ("app@orders:[7]:LOG:  statement: INSERT INTO t VALUES (1)", true),
            ("app@orders:[7]:LOG:  execute sqlx_s_1: DELETE FROM t", true),
            ("rdsadmin@postgres:[7]:LOG:  statement: CREATE ROLE x", false),
            ("app@orders:[7]:ERROR:  no such table", false),
            ("app@orders:[7]:STATEMENT:  INSERT :LOG:", false),
        ];
        for (line, expected) in cases {
            assert_eq!(is_write(&format!("{prefix}{line}")), expected, "{line}");
        }
        assert!(!is_write("\tVALUES (2)"));
    }

    #[test]
    fn portions_follow_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("postgresql.log.2026-03-01-00");
        std::fs::write(&path, "one\ntwo\nthree\nfour").unwrap();
        let first = portion(&path, Start::At(0), 2).unwrap();
        assert_eq!((first.data.as_str(), first.pending), ("one\ntwo\n", true));
        let second = portion(&path, parse_marker(&first.marker).unwrap(), 100).unwrap();
        assert_eq!((second.data.as_str(), second.pending), ("three\nfour", false));
        let tail = portion(&path, Start::Tail, 2).unwrap();
        assert_eq!(tail.data, "three\nfour");
        let end = portion(&path, parse_marker(&second.marker).unwrap(), 5).unwrap();
        assert_eq!((end.data.as_str(), end.pending), ("", false));
    }
}
