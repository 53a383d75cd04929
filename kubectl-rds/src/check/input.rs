//! Reading what was asked for: files, folders and standard input.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::encoding::{Garbled, decode};
use super::finding::{STDIN, Source, Unreadable};
use super::identity::names_us;

/// The endings of the files that are read from folders.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// Reads the inputs one by one, in the order they were given; folders by name. No file is read twice.
///
/// Of a folder, everything below is read, except what is hidden (`.git`) and links to folders. What cannot be read is told and left out.
pub(crate) fn read(paths: &[PathBuf], mut each: impl FnMut(Result<Source, Unreadable>)) {
    let mut seen = HashSet::new();
    for path in paths {
        if path == Path::new("-") {
            if seen.insert(path.clone()) {
                each(stdin());
            }
            continue;
        }
        if path.is_dir() {
            if !folder(path, &mut seen, &mut each) {
                let error = format!("no file in it, or below, ends in .{}", ENDINGS.join(", ."));
                each(Err(Unreadable { name: path.display().to_string(), error }));
            }
        } else {
            file(path, &mut seen, &mut each);
        }
    }
}

fn stdin() -> Result<Source, Unreadable> {
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes).map_err(|error| unreadable(STDIN, &error))?;
    source(STDIN.to_owned(), bytes)
}

fn file(path: &Path, seen: &mut HashSet<PathBuf>, each: &mut impl FnMut(Result<Source, Unreadable>)) {
    let name = path.display().to_string();
    match fs::canonicalize(path)
        .and_then(|canonical| if seen.insert(canonical) { fs::read(path).map(Some) } else { Ok(None) })
    {
        Ok(Some(bytes)) => each(source(name, bytes)),
        Ok(None) => {}
        Err(error) => each(Err(unreadable(&name, &error))),
    }
}

/// Reads what is below a folder, and says whether something was met that is read or cannot be.
fn folder(path: &Path, seen: &mut HashSet<PathBuf>, each: &mut impl FnMut(Result<Source, Unreadable>)) -> bool {
    let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            each(Err(unreadable(&path.display().to_string(), &error)));
            return true;
        }
    };
    let mut met = false;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if hidden {
            continue;
        }
        if is_folder {
            met |= folder(&path, seen, each);
        } else if path.extension().and_then(OsStr::to_str).is_some_and(|ending| ENDINGS.contains(&ending))
            && !path.is_dir()
        {
            met = true;
            file(&path, seen, each);
        }
    }
    met
}

fn source(name: String, bytes: Vec<u8>) -> Result<Source, Unreadable> {
    match decode(bytes) {
        Ok(text) => Ok(Source::new(name, &text)),
        // What holds nothing of ours is skipped, whatever it is.
        Err(Garbled { lossy, .. }) if !names_us(&lossy) => Ok(Source::new(name, &lossy)),
        Err(Garbled { line, encoding, .. }) => {
            Err(Unreadable { name, error: format!("line {line} is not {encoding}") })
        }
    }
}

fn unreadable(name: &str, error: &io::Error) -> Unreadable {
    Unreadable { name: name.to_owned(), error: error.to_string() }
}
