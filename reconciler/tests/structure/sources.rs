//! The crate's own code, as it is shipped.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex_lite::Regex;

/// The code of a file, without its tests.
pub(crate) struct Code {
    /// Below `src/`.
    pub(crate) file: String,
    pub(crate) text: String,
}

impl Code {
    /// Whether it is Rust, and not SQL.
    pub(crate) fn is_rust(&self) -> bool {
        Path::new(&self.file).extension().is_some_and(|extension| extension == "rs")
    }
}

pub(crate) fn code() -> Vec<Code> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let read = |path: &PathBuf| fs::read_to_string(path).expect("a file of the crate can be read");
    let tests = Regex::new(r"#\[cfg\(test\)\]\s*(?:pub(?:\(crate\))? )?mod (\w+);").expect("the pattern is valid");
    let mut only_tests = BTreeSet::new();
    for path in &files {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let beside = path.parent().expect("a file is in a folder");
        let folder = if ["mod", "lib", "main"].contains(&stem) { beside.to_owned() } else { beside.join(stem) };
        only_tests.extend(tests.captures_iter(&read(path)).map(|found| folder.join(&found[1])));
    }
    let is_test = |path: &PathBuf| path.ancestors().any(|part| only_tests.contains(&part.with_extension("")));
    files.retain(|path| !is_test(path));
    let inline = Regex::new(r"#\[cfg\(test\)\]\s*(?:pub(?:\(crate\))? )?mod \w+ \{").expect("the pattern is valid");
    let code = |path: PathBuf| {
        let text = read(&path);
        let text = inline.split(&text).next().unwrap_or_default().to_owned();
        let file = path.strip_prefix(&root).expect("it is below").to_str().expect("our names are ASCII").to_owned();
        Code { file, text }
    };
    files.into_iter().map(code).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is the crate's") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "sql") {
            files.push(path);
        }
    }
}

/// A search that leaves too much out finds nothing.
#[test]
fn the_code_is_read_and_its_tests_are_not() {
    let code = code();
    let read = |file: &str| code.iter().any(|found| found.file == file);
    for file in ["lib.rs", "plan/mod.rs", "plan/inside/mod.rs", "engine/postgres/look/seen.sql", "binding.rs"] {
        assert!(read(file), "{file}");
    }
    for file in ["plan/tests/mod.rs", "plan/inside/tests.rs", "engine/paper.rs", "v0_1_0.rs"] {
        assert!(!read(file), "{file}");
    }
    let binding = code.iter().find(|found| found.file == "binding.rs").expect("it was read");
    assert!(binding.text.contains("fn secret_data") && !binding.text.contains("#[test]"));
}
