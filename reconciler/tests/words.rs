//! Words stay where they belong: what only one engine or one provider has is not spoken of by those that are to know none of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex_lite::Regex;

/// Words that belong to a room of `src/`.
struct Vocabulary {
    /// Patterns of whole words, in any case.
    words: &'static [&'static str],
    /// Where they belong: all of them are spoken there.
    home: &'static str,
    /// Where they are not spoken; empty is all of `src/` but for their home.
    abroad: &'static str,
    /// File or folder, word in lower case, and why it is spoken there all the same.
    but_for: &'static [(&'static str, &'static str, &'static str)],
}

/// Whoever adds MySQL adds a folder beside PostgreSQL's, and changes nothing else that knows it. `oid` is a field of the resource's status.
const POSTGRESQL: Vocabulary = Vocabulary {
    words: &[
        r"\w*postgres\w*",
        r"pg_\w+",
        "pgjdbc",
        "libpq",
        "psql",
        r"plpgsql",
        "rds_superuser",
        "rds_replication",
        "roles?",
        r"scram\w*",
        "template[01]",
        "sslmode",
        "sslrootcert",
    ],
    home: "engine/postgres",
    abroad: "",
    but_for: &[
        ("app.rs", "postgres", "the wiring"),
        ("app.rs", "postgresengine", "the wiring"),
        ("app.rs", "postgresql", "the wiring"),
        ("app.rs", "roles", "of Kubernetes"),
        ("engine/mod.rs", "postgres", "the folder"),
        ("engine/mod.rs", "postgresql", "the folder"),
        ("engine/dialect.rs", "postgres", "the folder"),
        ("engine/dialect.rs", "postgresql", "which folder an engine has"),
        ("args.rs", "postgresql", "what a person writes"),
        ("plan/reason.rs", "postgresql", "what a person writes"),
        ("subject/refusal.rs", "postgresql", "what a person writes"),
        ("plan/reason.rs", "role", "of the account"),
        ("plan/reason.rs", "roles", "of Kubernetes"),
        ("access.rs", "role", "of the account"),
        ("providers", "role", "of the account"),
        ("providers/aws", "postgresql", "what the provider calls an engine"),
        ("providers/aws", "postgres", "what the provider calls an engine"),
    ],
};

const VOCABULARIES: [&Vocabulary; 1] = [&POSTGRESQL];

/// The code of a file, without its tests.
struct Code {
    file: String,
    text: String,
}

fn code() -> Vec<Code> {
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

#[test]
fn words_stay_at_home() {
    let code = code();
    let mut strays = Vec::new();
    for Vocabulary { words, home, abroad, but_for } in VOCABULARIES {
        let mut needed = BTreeSet::new();
        for word in *words {
            let word = Regex::new(&format!(r"(?i)\b(?:{word})\b")).expect("the pattern is valid");
            let mut at_home = false;
            for Code { file, text } in &code {
                if Path::new(file).starts_with(home) {
                    at_home |= word.is_match(text);
                    continue;
                }
                for found in word.find_iter(text).filter(|_| Path::new(file).starts_with(abroad)) {
                    let spoken = found.as_str().to_lowercase();
                    let excused =
                        but_for.iter().find(|(place, said, _)| Path::new(file).starts_with(place) && *said == spoken);
                    if let Some(excuse) = excused {
                        needed.insert(*excuse);
                    } else {
                        let line = text[..found.start()].lines().count().max(1);
                        strays.push(format!("src/{file}:{line}: {}", found.as_str()));
                    }
                }
            }
            assert!(at_home, "{word} is not spoken in {home}: a search for it finds nothing");
        }
        let idle: Vec<_> = but_for.iter().filter(|excuse| !needed.contains(*excuse)).collect();
        assert!(idle.is_empty(), "nobody needs to be excused: {idle:?}");
    }
    assert!(strays.is_empty(), "words that belong elsewhere:\n{}", strays.join("\n"));
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
