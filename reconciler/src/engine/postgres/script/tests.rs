use super::*;

fn statements(step: &SqlStep) -> Vec<String> {
    let batches = script(step, |_| "SCRAM-SHA-256$verifier".to_owned());
    let text = |batch: Batch| match batch.work {
        Work::Sql(statements) | Work::Insist(statements) => statements,
        Work::EndSessions { user, .. } => format!("end sessions of {user}"),
    };
    batches.into_iter().map(text).collect()
}

#[test]
fn the_membership_is_revoked_last() {
    let (user, database, owner) = ("app".to_owned(), "shop".to_owned(), "shop-owner".to_owned());
    let batches = statements(&SqlStep::Expel { user, database, owner });
    let [first, sessions, last] = batches.as_slice() else { panic!("{batches:?}") };
    assert!(first.starts_with(r#"REVOKE ALL ON DATABASE "shop" FROM "app""#), "{first}");
    assert_eq!(sessions, "end sessions of app");
    assert_eq!(last, r#"REVOKE "shop-owner" FROM "app" CASCADE"#);
}

#[test]
fn the_way_in_comes_last() {
    let (user, database, owner) = ("app".to_owned(), "shop".to_owned(), "shop-owner".to_owned());
    let step = SqlStep::Admit { user, database, owner, acts_as_owner: true, inherits: true, connects: true };
    let statements = statements(&step).concat();
    assert!(statements.ends_with(r#"; GRANT CONNECT ON DATABASE "shop" TO "app""#), "{statements}");
}

#[test]
fn a_password_is_sent_as_a_verifier_and_names_are_quoted() {
    let step = SqlStep::CreateUser {
        user: r#"odd"name"#.to_owned(),
        attributes: [(Attribute::Login, true), (Attribute::Inherit, false)].into(),
        password: Password::from("clear".to_owned()),
        mark: Mark::new("it's ours"),
        admin: false,
    };
    let statements = statements(&step).concat();
    let created = r#"CREATE ROLE "odd""name" LOGIN NOINHERIT PASSWORD 'SCRAM-SHA-256$verifier'; "#;
    assert!(statements.starts_with(created), "{statements}");
    assert!(statements.contains("it''s ours") && !statements.contains("clear"), "{statements}");
}

/// Whatever a session of the master may find first, it uses nothing that a user has made (I12).
#[test]
fn i12_functions_and_operators_are_written_with_their_schema() {
    let files =
        [LOCK_RIGHTS, LOCK_ROLE, TAKE_DATABASES, LAY_OUT, TAKE_OVER, ADOPT_PINNED, HAND_OVER, REASSIGN, RELEASE];
    let reads = [
        include_str!("../look/seen.sql"),
        include_str!("../look/differences.sql"),
        include_str!("../privileges.sql"),
        include_str!("../statistics.sql"),
    ];
    for text in files.into_iter().chain(reads) {
        let code = code_of(text);
        // A call: a word before a bracket that is no word of SQL's own.
        let called = regex_lite::Regex::new(r"([.\w]+)\s*\(").expect("it is one");
        for found in called.captures_iter(&code) {
            let name = &found[1];
            let own = SQL_WORDS.contains(&name.to_lowercase().as_str());
            assert!(own || name.starts_with("pg_catalog."), "{name} in {text}");
        }
        let bare = regex_lite::Regex::new(r"(^|[^(.:\w])(=|<>|<|>|<=|>=|\|\||!~|~|->>?|\+)(\s|$)").expect("it is one");
        if let Some(found) = bare.find(&code) {
            panic!("the operator {} in {text}", found.as_str());
        }
        for word in [" IN (", " LIKE ", " BETWEEN ", "DISTINCT FROM", " USING ("] {
            assert!(!code.contains(word), "{word} looks an operator up: {text}");
        }
    }
}

const SQL_WORDS: &[&str] = &[
    "operator",
    "coalesce",
    "exists",
    "select",
    "filter",
    "array",
    "any",
    "all",
    "materialized",
    "as",
    "and",
    "or",
    "not",
    "where",
    "when",
    "from",
    "lateral",
    "on",
    "then",
    "join",
    "in",
    "m",
    "w",
    "u",
    "d",
    "c",
    "for",
];

/// Without comments, texts, and what `OPERATOR(...)`, `:=` and `USING ... =` of plpgsql hold.
fn code_of(text: &str) -> String {
    let lines = text.lines().map(|line| line.split_once("--").map_or(line, |(code, _)| code));
    let code = lines.filter(|line| !line.contains("RAISE EXCEPTION")).collect::<Vec<_>>().join("\n");
    let texts = regex_lite::Regex::new(r"'[^']*'").expect("it is one");
    let operators = regex_lite::Regex::new(r"OPERATOR\(pg_catalog\.[^)]*\)").expect("it is one");
    operators.replace_all(&texts.replace_all(&code, "''"), "@").into_owned()
}
