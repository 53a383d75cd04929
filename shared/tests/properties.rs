//! What holds for any JSON, not only for specifications somebody thought of.

use jiff::civil::{Date, date};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use shared::rules::{
    DefaultVersions, Engine, EngineVersion, Gibibytes, Interval, Observed, Rule, Size, Subject, Verdict, WARNING_LIMIT,
    create, delete, insert, parse, replace, update,
};

const TODAY: Date = date(2026, 11, 23);

/// Any JSON, small.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(".{0,8}", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A value that may stand at a key: often a good one, sometimes any.
fn often(good: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![6 => select(good).prop_map(|text| serde_json::from_str(text).expect("the literals are JSON")), 1 => any_json()]
}

/// Specifications with the right keys, whose values are often right as well.
fn spec() -> impl Strategy<Value = Value> {
    let fields = [
        ("type", often(&["null", r#""Postgresql""#, r#""mysql""#]).boxed()),
        ("version", often(&["12", r#""12""#, r#""15.6""#, r#""18""#, r#""8.4""#, "8.4"]).boxed()),
        ("size", often(&[r#""10GB""#, r#""100Gi""#, r#""1e2GB""#, r#""1.5TB""#]).boxed()),
        ("masteruser", often(&[r#""sysadmin""#, r#""app""#, r#""postgres""#]).boxed()),
        (
            "users",
            often(&[
                "{}",
                r#"{"app": []}"#,
                r#"{"app": ["createdb"], "report": null}"#,
                r#"{"app": ["LOGIN"], "report": []}"#,
            ])
            .boxed(),
        ),
        (
            "databases",
            often(&["{}", r#"{"orders": ["app"]}"#, r#"{"orders": null, "d": []}"#, r#"{"d": ["app", "report"]}"#])
                .boxed(),
        ),
        ("backup", often(&["{}", r#"{"every": "6h"}"#, r#"{"retention": "2w", "every": null}"#]).boxed()),
        ("className", often(&[r#""gold""#]).boxed()),
        ("instanceClass", often(&[r#""db.t4g.micro""#]).boxed()),
        ("deletionPolicy", often(&[r#""Retain""#, r#""Delete""#]).boxed()),
        ("deletionProtection", often(&["true", "false"]).boxed()),
        ("paused", often(&["true", "false"]).boxed()),
    ];
    let fields: Vec<_> = fields
        .into_iter()
        .map(|(key, value)| proptest::option::weighted(0.4, value).prop_map(move |value| (key, value)))
        .collect();
    let object = fields.prop_map(|fields| {
        fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect::<Map<_, _>>().into()
    });
    prop_oneof![8 => object, 1 => any_json()]
}

/// Specifications with nothing wrong in them, and names and values of any length that is allowed.
fn valid() -> impl Strategy<Value = Value> {
    let name = || "[a-z]{61}[0-9]{2}|zz[a-z0-9]{1,8}";
    let flags = select(vec![json!([]), json!(null), json!(["superuser", "replication", "createrole", "BYPASSRLS"])]);
    let fields = (
        select(vec!["15", "15.6", "15.65535", "15.65535-rds.20250814"]),
        select(vec!["1GB", "100Gi", "0000000000000000000000000000000000000000000000100Gi", "64Ti"]),
        btree_map(name(), flags, 0..4),
        btree_map(name(), select(vec![json!([]), json!(null)]), 0..4),
        proptest::option::of("db\\.[a-z0-9-]{58}\\.[a-z]|db\\.t4g\\.(micro|large)"),
        (select(vec!["30m", "24h", "50400m"]), select(vec!["1d", "35d", "50400m"])),
        select(vec![json!(null), json!("Delete")]),
        any::<bool>(),
    );
    fields.prop_map(|(version, size, users, databases, class, (every, retention), policy, protection)| {
        json!({
            "version": version, "size": size, "users": users, "databases": databases, "instanceClass": class,
            "backup": {"every": every, "retention": retention}, "deletionPolicy": policy,
            "deletionProtection": protection, "className": "c".repeat(253),
        })
    })
}

fn observed() -> impl Strategy<Value = Observed> {
    let volume = proptest::option::of((20_u32..=65_536).prop_map(Gibibytes::new));
    let runs = proptest::option::of(select(vec!["15.4", "15.65534-rds.20250814"]).prop_map(str::to_owned));
    (any::<bool>(), volume, runs).prop_map(|(created, allocated, engine_version)| Observed {
        created,
        allocated,
        engine_version,
        master_user: None,
    })
}

fn defaults(spec: &Value, old_spec: Option<&Value>) -> Value {
    shared::rules::defaults(spec, old_spec, DefaultVersions::BUILT_IN)
}

fn subject(spec: &Value) -> Subject<'_> {
    Subject::new("orders", spec)
}

/// Whether everything written in `before` (that is not null) is unchanged in `after`.
fn kept(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Null, _) => true,
        (Value::Object(before), Value::Object(after)) => before.iter().all(|(key, value)| match key.as_str() {
            // The one map in which keys may be added.
            "backup" => after.get(key).is_some_and(|after| kept(value, after)),
            _ => value.is_null() || after.get(key) == Some(value),
        }),
        _ => before == after,
    }
}

proptest! {
    #[test]
    fn defaults_are_idempotent(new in spec(), old in proptest::option::of(spec())) {
        let once = defaults(&new, old.as_ref());
        prop_assert_eq!(&defaults(&once, old.as_ref()), &once);
        prop_assert_eq!(&defaults(&once, None), &once);
    }

    #[test]
    fn defaults_only_add_what_is_absent(new in spec(), old in proptest::option::of(spec())) {
        let after = defaults(&new, old.as_ref());
        prop_assert!(kept(&new, &after), "{} became {}", new, after);
    }

    #[test]
    fn what_was_admitted_is_parsed(spec in spec()) {
        let admitted = create(&subject(&spec), TODAY).admitted();
        prop_assert_eq!(parse("orders", &defaults(&spec, None)).is_ok(), admitted);
    }

    #[test]
    fn defaults_make_no_difference_to_the_verdict(spec in spec()) {
        let defaulted = defaults(&spec, None);
        // But for the size, of which only those are warned who wrote it.
        let but_size = |mut verdict: Verdict| {
            verdict.warnings.retain(|warning| warning.rule != Rule::SizeBelowMinimum);
            verdict
        };
        prop_assert_eq!(but_size(create(&subject(&spec), TODAY)), but_size(create(&subject(&defaulted), TODAY)));
        // Who is asked last cannot tell the two apart.
        prop_assert_eq!(insert(&subject(&spec), TODAY), insert(&subject(&defaulted), TODAY));
    }

    #[test]
    fn nothing_panics_and_warnings_are_short(new in spec(), old in spec(), applied in any_json(), name in ".{0,70}") {
        let new = Subject { name: Some(&name), last_applied: Some(&applied), ..subject(&new) };
        let created = create(&new, TODAY);
        let updated = update(&new, &subject(&old), TODAY);
        for verdict in [created, updated, delete(&old)] {
            for warning in verdict.warnings {
                prop_assert!(warning.to_string().chars().count() <= WARNING_LIMIT, "{}", warning);
            }
            for violation in verdict.errors {
                prop_assert!(violation.field.starts_with("spec") || violation.field.starts_with("metadata."));
                prop_assert!(!violation.message.contains('\n'));
            }
        }
    }

    #[test]
    fn whoever_is_admitted_reads_every_warning_whole(new in valid(), old in valid(), observed in observed()) {
        let old = Subject { observed: Some(&observed), ..subject(&old) };
        for verdict in [create(&subject(&new), TODAY), update(&subject(&new), &old, TODAY)] {
            let refused = [Rule::SizeShrinks, Rule::VersionDowngrade];
            prop_assert!(verdict.errors.iter().all(|error| refused.contains(&error.rule)), "{:?}", verdict.errors);
            for warning in verdict.warnings {
                let told = warning.to_string();
                prop_assert!(told.ends_with(&warning.message) && told.chars().count() <= WARNING_LIMIT, "{}", told);
            }
        }
    }

    #[test]
    fn an_update_that_changes_nothing_is_admitted(spec in spec()) {
        let verdict = update(&subject(&spec), &subject(&spec), TODAY);
        prop_assert!(verdict.admitted(), "{:?}", verdict.errors);
    }

    #[test]
    fn what_was_filled_in_is_judged_alike(new in spec(), old in spec()) {
        let complete = defaults(&new, Some(&old));
        let (asked, last) = (update(&subject(&new), &subject(&old), TODAY), replace(&subject(&complete), &subject(&old), TODAY));
        prop_assert_eq!(asked.admitted(), last.admitted(), "{:?}\n{:?}", asked.errors, last.errors);
    }

    #[test]
    fn what_nobody_filled_in_is_refused_or_means_the_same(spec in spec(), lost in select(&["type", "version", "size", "users", "backup"][..])) {
        let old = defaults(&spec, None);
        let mut new = old.clone();
        new.as_object_mut().map(|new| new.remove(lost));
        if replace(&subject(&new), &subject(&old), TODAY).admitted() {
            // Who reads the object later has no old one.
            let (read, meant) = (parse("orders", &defaults(&new, None)), parse("orders", &defaults(&new, Some(&old))));
            prop_assert_eq!(read, meant);
        }
    }

    #[test]
    fn dropping_everything_changes_nothing(spec in spec()) {
        prop_assume!(create(&subject(&spec), TODAY).admitted());
        let (old, empty) = (defaults(&spec, None), json!({}));
        prop_assert!(update(&subject(&empty), &subject(&old), TODAY).admitted());
        let (before, after) = (parse("orders", &old).unwrap(), parse("orders", &defaults(&empty, Some(&old))).unwrap());
        prop_assert_eq!((before.engine, before.version, before.size), (after.engine, after.version, after.size));
        prop_assert_eq!((before.users, before.databases, before.backup), (after.users, after.databases, after.backup));
    }

    #[test]
    fn any_text_is_a_size_or_not(text in ".*") {
        let _ = Size::parse(&text);
    }

    #[test]
    fn sizes_are_rounded_up_by_less_than_one(whole in 1_u32..60_000, unit in select(&["GB", "G", "Gi", "GiB"][..])) {
        let bytes: u64 = if unit.contains('i') { 1 << 30 } else { 1_000_000_000 };
        let wanted = u64::from(whole) * bytes;
        let allocated = u64::from(Size::parse(&format!("{whole}{unit}")).unwrap().gibibytes().get()) << 30;
        prop_assert!(allocated >= wanted && allocated - wanted < 1 << 30);
    }

    #[test]
    fn durations_are_displayed_as_they_parse(number in 0_u64..100_000, unit in select(&["m", "h", "d", "w"][..])) {
        let interval = Interval::parse(&format!("{number}{unit}")).unwrap();
        prop_assert_eq!(Interval::parse(&interval.to_string()).unwrap(), interval);
    }

    #[test]
    fn versions_are_displayed_as_they_parse(text in "[0-9.]{1,8}(-rds\\.[0-9]{8})?") {
        for engine in Engine::ALL {
            if let Some(version) = EngineVersion::read(engine, &text) {
                prop_assert_eq!(version.to_string(), text.as_str());
            }
        }
    }
}
