//! The most work that a review can ask for: each gets its answer, and the answer stays small. How long they take is printed.

mod support;

use std::fmt::Write as _;
use std::time::Instant;

use serde_json::{Map, Value, json};
use support::{LIMITS, post, review, service};

/// Longest answer, in bytes: a hundred mistakes, each told twice.
const ANSWER: usize = 128 * 1024;

/// About as much text as the API server lets pass, in bytes; less of it where nothing is optimized.
const MUCH: usize = if cfg!(debug_assertions) { 200_000 } else { 3_000_000 };

const RECORD: &str = "kubectl.kubernetes.io/last-applied-configuration";

fn create(spec: &Value) -> String {
    review("CREATE", spec, None).to_string()
}

/// A map of so many entries whose names have 63 characters.
fn entries(count: usize, value: &Value) -> Map<String, Value> {
    (0..count).map(|n| (format!("{}{n:06}", "x".repeat(57)), value.clone())).collect()
}

/// A review with raw JSON in the place of its specification.
fn raw(spec: &str) -> String {
    create(&json!("here")).replacen("\"here\"", spec, 1)
}

/// Texts that are long, or whose looks make a parser look twice, in each place where a text may be.
fn long_texts() -> Vec<(String, String)> {
    let mut bodies = Vec::new();
    for piece in ["1.", "12.22-rds.", "9", "e1", "postgresql", "a-", "ä", " ", "\u{202e}", "\"", "db.", "0 "] {
        let text = piece.repeat(MUCH / piece.len() / if piece == "\"" { 2 } else { 1 });
        let mut specs: Vec<Value> =
            ["type", "version", "size", "masteruser", "className", "instanceClass", "deletionPolicy", "paused"]
                .map(|field| json!({field: text}))
                .to_vec();
        specs.extend(["every", "retention"].map(|field| json!({"backup": {field: text}})));
        specs.extend([json!({"users": {"app": [text]}}), json!({"databases": {"orders": [text]}})]);
        specs.extend([
            json!({"users": {&text: []}}),
            json!({"databases": {&text: []}}),
            json!({&text: 1}),
            json!(text),
        ]);
        specs.push(json!({"type": "MySQL", "version": text}));
        bodies.extend(
            specs.into_iter().enumerate().map(|(at, spec)| (format!("{piece:?} in place {at}"), create(&spec))),
        );
        for field in ["name", "generateName"] {
            let mut review = review("CREATE", &json!({}), None);
            let request = review["request"].as_object_mut().expect("a request");
            request.remove("name");
            request["object"]["metadata"] = json!({field: text});
            bodies.push((format!("{piece:?} in metadata.{field}"), review.to_string()));
        }
    }
    bodies
}

/// Crowds of users, databases, flags and nulls.
fn crowds() -> Vec<(String, String)> {
    let users = entries(500, &json!([]));
    // Of the same length as the users, and as far from them as a hint goes.
    let strangers: Vec<String> = (0..500).map(|n| format!("{}{n:06}", "y".repeat(18) + &"x".repeat(39))).collect();
    let databases: Map<_, _> = (0..100).map(|n| (format!("d{n}"), json!(strangers))).collect();
    let strange = json!({"users": users, "databases": databases});
    let mut still_strange = strange.clone();
    still_strange["paused"] = json!(true);
    let nulls = json!({"users": entries(40_000, &Value::Null)});
    let few_nulls = json!({"users": entries(500, &Value::Null), "databases": entries(500, &Value::Null)});
    let wrong_flags = json!({"users": entries(500, &json!(vec!["createroll"; 14]))});
    let mut recorded = review("UPDATE", &json!({}), Some(&json!({"users": users})));
    recorded["request"]["object"]["metadata"]["annotations"] = json!({RECORD: json!({"spec": nulls}).to_string()});
    let short_nulls: String = (0..100_000).fold(String::new(), |mut nulls, n| {
        // Writing to a String cannot fail.
        let _ = write!(nulls, "\"{n}\":null,");
        nulls
    });
    let short_nulls = format!("{{\"users\":{{{}}}}}", short_nulls.trim_end_matches(','));
    [
        ("strangers", create(&strange)),
        ("the same strangers as before", review("UPDATE", &still_strange, Some(&strange)).to_string()),
        ("nulls", create(&nulls)),
        ("short nulls", raw(&short_nulls)),
        ("as many nulls as are read", create(&few_nulls)),
        ("nulls in the record", recorded.to_string()),
        ("nulls that were something", review("UPDATE", &nulls, Some(&json!({"users": users}))).to_string()),
        ("wrong flags", create(&wrong_flags)),
        ("unknown fields", create(&Value::Object(entries(20_000, &json!(1))))),
        ("what an update leaves out", review("UPDATE", &json!({}), Some(&json!({"users": users}))).to_string()),
    ]
    .map(|(what, body)| (what.to_owned(), body))
    .to_vec()
}

/// JSON that is deep, dense, or odd.
fn shapes() -> Vec<(String, String)> {
    let deep =
        |open: &str, close: &str, levels: usize| raw(&format!("{}0{}", open.repeat(levels), close.repeat(levels)));
    let mut unread = review("CREATE", &json!({}), None);
    unread["request"]["userInfo"] = json!("here");
    let unread = unread.to_string();
    [
        ("lists in lists", deep("[", "]", MUCH / 2)),
        ("maps in maps", deep("{\"a\":", "}", MUCH / 6)),
        ("a few levels", deep("[", "]", 120)),
        (
            "lists where nobody reads",
            unread.replacen("\"here\"", &format!("{}{}", "[".repeat(MUCH), "]".repeat(MUCH)), 1),
        ),
        ("escapes", raw(&format!("\"{}\"", "\\u00e4".repeat(MUCH / 6)))),
        ("digits", raw(&format!("{{\"version\":{}}}", "1".repeat(MUCH)))),
        ("digits with a point", raw(&format!("{{\"version\":1.{}e-5}}", "7".repeat(MUCH)))),
        ("small lists", raw(&format!("[{}[]]", "[],".repeat(MUCH / 3)))),
        ("one key again and again", raw(&format!("{{{}\"a\":1}}", "\"a\":1,".repeat(MUCH / 6)))),
        ("spaces", raw(&" ".repeat(MUCH))),
    ]
    .map(|(what, body)| (what.to_owned(), body))
    .to_vec()
}

#[tokio::test]
async fn the_most_work_gets_a_short_answer() {
    let mut slowest = Vec::new();
    for (what, body) in long_texts().into_iter().chain(crowds()).chain(shapes()) {
        for path in ["/mutate", "/validate"] {
            let (router, _, _) = service(LIMITS);
            let (bytes, start) = (body.len(), Instant::now());
            let reply = post(&router, path, body.clone()).await;
            slowest.push((start.elapsed(), format!("{what} to {path}, {bytes} bytes")));
            // Broken JSON has no uid to answer to.
            let code = reply.code.as_u16();
            assert!(code == 200 || (code == 400 && what == "spaces"), "{what}: {code} {}", reply.text());
            // A patch repeats what an update leaves out, and no more of it than there was.
            let limit = if what == "what an update leaves out" { 2 * bytes } else { ANSWER };
            assert!(reply.body.len() <= limit, "{what}: an answer of {} bytes", reply.body.len());
        }
    }
    slowest.sort_unstable_by(|a, b| b.cmp(a));
    for (took, what) in slowest.iter().take(12) {
        println!("{took:?}: {what}");
    }
}
