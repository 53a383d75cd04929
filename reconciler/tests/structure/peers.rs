//! The page of what others suffered from names tests, and they are there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex_lite::Regex;

/// Where tests are, below the root of the repository.
const TESTS: [&str; 5] = ["reconciler/src", "reconciler/tests", "shared", "testbed/tests", "webhook"];

/// A row of the page: a thread, and what holds its matter here.
#[derive(Debug)]
struct Row {
    thread: String,
    held_by: String,
}

fn rows(page: &str) -> Vec<Row> {
    let row = |line: &str| {
        let cells: Vec<_> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
        let [thread, suffered, held_by] = cells[..] else { return None };
        (thread.contains('#') && !suffered.is_empty())
            .then(|| Row { thread: thread.to_owned(), held_by: held_by.to_owned() })
    };
    page.lines().filter_map(row).collect()
}

/// The names of all functions of the files below a folder.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    let name = Regex::new(r"\bfn (\w+)").expect("the pattern is valid");
    for entry in fs::read_dir(folder).expect("the folder is the repository's") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a file of the repository can be read");
            found.extend(name.captures_iter(&text).map(|found| found[1].to_owned()));
        }
    }
}

#[test]
fn what_others_suffered_from_is_held_by_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/peers.md")).expect("the page is there");
    let mut tests = BTreeSet::new();
    for folder in TESTS {
        functions(&root.join(folder), &mut tests);
    }
    let named = Regex::new(r"`(\w+)`").expect("the pattern is valid");
    let rows = rows(&page);
    let told = page.lines().filter(|line| line.starts_with("| ") && line.contains('#')).count();
    assert!(rows.len() == told && told > 15, "rows that cannot be read: {} of {told} can", rows.len());
    let mut threads = BTreeSet::new();
    for Row { thread, held_by } in &rows {
        assert!(threads.insert(thread), "{thread} has two rows");
        let names: Vec<_> = named.captures_iter(held_by).map(|found| found[1].to_owned()).collect();
        assert!(!names.is_empty() || held_by.starts_with("cannot happen: "), "{thread}: nothing holds it");
        for name in &names {
            assert!(tests.contains(name), "{thread}: there is no test {name}");
        }
    }
}
