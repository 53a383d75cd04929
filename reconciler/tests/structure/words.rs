//! Words stay where they belong: what only one engine or one provider has is not spoken of by those that are to know none of them.

use std::collections::BTreeSet;
use std::path::Path;

use regex_lite::Regex;

use crate::sources::{Code, code};

/// Words that belong to a room of `src/`.
struct Vocabulary {
    /// Patterns of whole words, in any case.
    words: &'static [&'static str],
    /// Where they belong: all of them are spoken there.
    home: &'static str,
    /// Where they are not spoken, their home apart.
    abroad: &'static [&'static str],
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
    abroad: &[""],
    but_for: &[
        ("app.rs", "postgres", "the wiring"),
        ("app.rs", "postgresengine", "the wiring"),
        ("app.rs", "postgresql", "the wiring"),
        ("app.rs", "roles", "of Kubernetes"),
        ("engine/mod.rs", "postgres", "the folder"),
        ("engine/mod.rs", "postgresql", "the folder"),
        ("args.rs", "postgresql", "what a person writes"),
        ("plan/reason.rs", "postgresql", "what a person writes"),
        ("subject/refusal.rs", "postgresql", "what a person writes"),
        ("plan/reason.rs", "role", "of the account"),
        ("plan/reason.rs", "roles", "of Kubernetes"),
        ("providers", "role", "of the account"),
        ("providers/aws", "postgresql", "what the provider calls an engine"),
        ("providers/aws", "postgres", "what the provider calls an engine"),
        ("providers/aws", "pg_upgrade_precheck", "what the provider calls a log"),
    ],
};

/// Whoever adds a provider adds a folder beside AWS's: what is decided names none.
const RDS: Vocabulary = Vocabulary {
    words: &[
        "rds",
        "aws",
        "amazon",
        "arn",
        "dbi?(?:instance|snapshot|resource)\\w*",
        "cloudformation",
        "kms",
        "sts",
        "vpc\\w*",
        "(?:create|modify|delete|describe|restore)db\\w+",
    ],
    home: "providers/aws",
    abroad: &["apply", "engine", "lease", "observe", "plan", "providers", "status", "subject"],
    but_for: &[
        ("plan/reason.rs", "rds", "the operator's flag --rds-ca-bundle"),
        ("plan/secrets.rs", "rds", "the operator's flag --rds-ca-bundle"),
        ("plan/reason/page.rs", "rds", "what kubectl calls the resource"),
        ("plan/ground.rs", "arn", "a field of the resource's status"),
        ("providers/mod.rs", "aws", "the folder"),
        ("providers/offers.rs", "aws", "which folder a provider has"),
        ("providers/offers.rs", "rds", "which folder a provider has"),
        ("engine/postgres", "rds", "the roles of its own that stand for privileges, and this operator's name"),
    ],
};

/// A clock that is set back would make hours of a hold (I13): what is decided goes by [`Moment`](reconciler::clock::Moment) alone.
const WALL_CLOCK: Vocabulary = Vocabulary {
    words: &["timestamp"],
    home: "status",
    abroad: &["plan"],
    but_for: &[
        (
            "plan/world.rs",
            "timestamp",
            "when the deletion was asked for is told by Kubernetes, and compared with what the provider tells",
        ),
        (
            "plan/instance/upgrade.rs",
            "timestamp",
            "snapshots and reports are dated by the provider; a clock that is set makes no longer pause than there is",
        ),
        (
            "plan/instance/copies.rs",
            "timestamp",
            "copies are dated by the provider; a clock that is set makes one too early, and deletes none",
        ),
        (
            "plan/ahead.rs",
            "timestamp",
            "what the provider is going to do is told with its date, and nothing goes by it",
        ),
        (
            "plan/instance/restore.rs",
            "timestamp",
            "the moment to restore is written by a person, and compared with what the provider tells",
        ),
    ],
};

const VOCABULARIES: [&Vocabulary; 3] = [&POSTGRESQL, &RDS, &WALL_CLOCK];

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
                for found in
                    word.find_iter(text).filter(|_| abroad.iter().any(|room| Path::new(file).starts_with(room)))
                {
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
