//! What holds for the answer to any body, told without the service's own parser.

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{LIMITS, Reply};

/// A map with its keys as they are written, repeated ones too.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Vec<(String, &'de RawValue)>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(entries)
            }
        }
        deserializer.deserialize_map(Reader).map(Self)
    }
}

impl<'a> Entries<'a> {
    fn read(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    fn all(&self, key: &str) -> impl Iterator<Item = &'a RawValue> {
        self.0.iter().filter(move |(written, _)| written == key).map(|(_, value)| *value)
    }

    fn repeats(&self) -> bool {
        self.0.iter().enumerate().any(|(index, (key, _))| self.0[..index].iter().any(|(earlier, _)| earlier == key))
    }
}

/// The uids that a body can be said to have, and whether it is well enough formed that it must be answered with one.
fn uids(body: &[u8]) -> (Vec<String>, bool) {
    let text = std::str::from_utf8(body).ok();
    let Some(review) = text.and_then(Entries::read) else { return (Vec::new(), false) };
    let (mut uids, mut repeats) = (Vec::new(), review.repeats());
    for request in review.all("request").filter_map(|request| Entries::read(request.get())) {
        repeats |= request.repeats();
        let read = request.all("uid").filter_map(|uid| serde_json::from_str::<String>(uid.get()).ok());
        uids.extend(read.filter(|uid| !uid.is_empty()));
    }
    let must = uids.len() == 1 && !repeats;
    (uids, must)
}

/// The answer to `body` at `path` is one.
pub fn holds(path: &str, body: &[u8], reply: &Reply) {
    let (uids, must) = uids(body);
    if reply.code == StatusCode::BAD_REQUEST {
        assert!(!must, "a review whose uid can be read is answered with it, not with {}", reply.text());
        assert!(reply.text().trim().len() > 10, "a refusal says why");
        return;
    }
    if reply.code == StatusCode::PAYLOAD_TOO_LARGE {
        assert!(body.len() > LIMITS.body, "{} bytes are not too many", body.len());
        return;
    }
    let response = reply.response();
    let uid = response["uid"].as_str().expect("a uid");
    assert!(uids.iter().any(|read| read == uid), "the uid is {uid:?}, not one of {uids:?}");
    let warnings = response["warnings"].as_array().into_iter().flatten();
    let lengths: Vec<usize> =
        warnings.map(|warning| warning.as_str().expect("a warning is text").chars().count()).collect();
    assert!(lengths.iter().all(|length| (1..=120).contains(length)), "warnings of {lengths:?} characters");
    assert!(lengths.iter().sum::<usize>() <= 4096, "warnings of {} characters", lengths.iter().sum::<usize>());
    if response["allowed"] == true {
        assert_eq!(response.get("status"), None);
        patched(path, body, &response);
        return;
    }
    assert_eq!(response.get("patch"), None, "what is refused is not patched");
    let status = &response["status"];
    let code = status["code"].as_u64().expect("a code");
    // A 500 would be a fault of the rules.
    assert!((400..500).contains(&code), "{status}");
    assert!(status["message"].as_str().is_some_and(|message| message.len() > 10), "{status}");
    if code == 422 {
        let causes = status["details"]["causes"].as_array().expect("causes");
        assert!(!causes.is_empty(), "{status}");
    }
}

/// Where there is a patch it is made of additions, applies, and leaves everything that was there.
fn patched(path: &str, body: &[u8], response: &Value) {
    let Some(patch) = response["patch"].as_str() else { return };
    assert_eq!((path, &response["patchType"]), ("/mutate", &Value::from("JSONPatch")));
    let patch = STANDARD.decode(patch).expect("base64");
    // What nobody reads may be nested deeper than this parser goes, and an old value that a patch carries over comes from there. No
    // patch is nested deeper than its review.
    let Ok(review) = serde_json::from_slice::<Value>(body) else { return };
    let patch: json_patch::Patch = serde_json::from_slice(&patch).expect("a JSON patch");
    let before = &review["request"]["object"];
    let mut after = before.clone();
    json_patch::patch(&mut after, &patch.0).expect("the patch applies");
    kept(before, &after, "");
}

fn kept(before: &Value, after: &Value, at: &str) {
    match (before, after) {
        (Value::Null, _) => {}
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in before {
                kept(value, &after[key], &format!("{at}/{key}"));
            }
        }
        _ => assert_eq!(before, after, "a user's value is rewritten at {at}"),
    }
}
