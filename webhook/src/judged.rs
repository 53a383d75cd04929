//! A review that was judged: its answer, and the line of the log that says who was refused and by which rules.

use std::time::Duration;

use jiff::civil::Date;
use shared::rules::{DefaultVersions, Rule};

use crate::admission::{self, Decision, Endpoint, Malformed, Operation, Request};

/// Characters of a user's, namespace's or object's name that are logged: those of the longest name there is, a service account's.
const EXCERPT: usize = 340;

/// A review's answer, and what the log says of it: names and rules, never a value of the specification.
pub(crate) struct Judged {
    json: Vec<u8>,
    asked: Asked,
    /// The rules that were broken, where it was refused.
    refused: Option<Vec<Rule>>,
}

/// Who asked for what.
#[derive(Default)]
struct Asked {
    operation: Option<Operation>,
    user: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
    dry_run: bool,
}

impl Judged {
    /// Judges the review in `bytes`.
    ///
    /// # Errors
    /// When there is no uid to answer to.
    pub(crate) fn of(
        endpoint: Endpoint,
        bytes: &[u8],
        today: Date,
        versions: DefaultVersions,
    ) -> Result<Self, Malformed> {
        let review = admission::parse(bytes)?;
        let decision = admission::decide(endpoint, &review.request, today, versions);
        let refused = match &decision {
            Decision::Allowed { .. } => None,
            Decision::Refused { rules, .. } => Some(rules.clone()),
        };
        let json = admission::render(&review.uid, decision);
        Ok(Self { json, asked: review.request.map(Asked::from).unwrap_or_default(), refused })
    }

    /// What was asked for; none where the request could not be read.
    pub(crate) fn operation(&self) -> Option<Operation> {
        self.asked.operation
    }

    /// Whether it was admitted.
    pub(crate) fn allowed(&self) -> bool {
        self.refused.is_none()
    }

    /// The answer.
    pub(crate) fn into_json(self) -> Vec<u8> {
        self.json
    }

    /// Refusals are few and asked about; who was admitted is in the API server's audit log, and in the metrics as a number.
    pub(crate) fn log(&self, endpoint: Endpoint, took: Duration) {
        macro_rules! decided {
            ($level:ident, $message:literal $(, $field:ident)*) => {
                tracing::$level!(
                    path = endpoint.as_str(),
                    operation = self.asked.operation.map_or("unknown", Operation::as_str),
                    user = shown(self.asked.user.as_deref()),
                    namespace = shown(self.asked.namespace.as_deref()),
                    name = shown(self.asked.name.as_deref()),
                    $($field,)*
                    dry_run = self.asked.dry_run,
                    micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
                    $message
                )
            };
        }
        match self.refused.as_deref().map(ids) {
            None => decided!(debug, "admitted"),
            Some(rules) => decided!(info, "refused", rules),
        }
    }
}

impl From<Request> for Asked {
    fn from(request: Request) -> Self {
        let name = request.object_name().map(str::to_owned);
        Self {
            operation: Some(request.operation),
            user: request.user,
            namespace: request.namespace,
            name,
            dry_run: request.dry_run,
        }
    }
}

fn ids(rules: &[Rule]) -> String {
    rules.iter().map(|rule| rule.id()).collect::<Vec<_>>().join(",")
}

/// A name as one line can hold it: whoever reaches the port may send any.
fn shown(text: Option<&str>) -> String {
    let plain = |c: char| if c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric() { c } else { '\u{fffd}' };
    let text = text.unwrap_or_default();
    let mut shown: String = text.chars().take(EXCERPT).map(plain).collect();
    if text.chars().nth(EXCERPT).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use jiff::civil::date;
    use serde_json::{Value, json};

    use super::*;

    fn judged(request: &Value) -> Judged {
        let mut review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
            "uid": "u1", "kind": {"group": "matrixmind.cloud", "version": "v1", "kind": "RDSDatabase"}, "operation": "CREATE",
        }});
        let fields = review["request"].as_object_mut().expect("an object");
        fields.extend(request.as_object().expect("an object").clone());
        Judged::of(Endpoint::Mutate, review.to_string().as_bytes(), date(2026, 11, 23), DefaultVersions::BUILT_IN)
            .expect("a uid")
    }

    /// The lines of the log.
    fn logged(judged: &Judged) -> String {
        let log = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&log);
        let subscriber = tracing_subscriber::fmt().json().with_writer(move || Shared(Arc::clone(&writer))).finish();
        tracing::subscriber::with_default(subscriber, || judged.log(Endpoint::Mutate, Duration::from_millis(1)));
        let log = log.lock().expect("nobody panicked").clone();
        String::from_utf8(log).expect("text")
    }

    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("nobody panicked").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_refusal_is_a_line_with_who_and_by_which_rules_and_no_value() {
        let spec = json!({"size": "hunter2", "users": {"App": [], "My-User": []}, "backup": {"every": "hunter3"}});
        let log = logged(&judged(&json!({
            "namespace": "shop", "userInfo": {"username": "jane@example.org", "groups": ["system:authenticated"]},
            "object": {"metadata": {"generateName": "orders-"}, "spec": spec}, "dryRun": true,
        })));
        assert_eq!(log.lines().count(), 1, "{log}");
        let line: Value = serde_json::from_str(&log).expect("JSON");
        for (field, value) in [
            ("user", json!("jane@example.org")),
            ("namespace", json!("shop")),
            ("name", json!("orders-")),
            ("rules", json!("malformed-size,malformed-name,malformed-duration")),
            ("dry_run", json!(true)),
        ] {
            assert_eq!(line["fields"][field], value, "{line}");
        }
        for value in ["hunter", "App", "My-User"] {
            assert!(!log.contains(value), "{log}");
        }
    }

    #[test]
    fn names_are_short_and_on_one_line() {
        let hostile = format!("a\nb\u{1b}[2K\u{2028}\u{202e}{}", "x".repeat(100_000));
        let shown = shown(Some(&hostile));
        assert!(shown.starts_with("a\u{fffd}b\u{fffd}[2K\u{fffd}\u{fffd}x"), "{shown}");
        assert_eq!(shown.chars().count(), EXCERPT + 1);
        let log = logged(&judged(&json!({
            "name": hostile, "namespace": hostile, "userInfo": {"username": hostile}, "object": {"spec": {"size": 1}},
        })));
        assert!(log.lines().count() == 1 && log.len() < 4 * EXCERPT, "{log}");
    }

    #[test]
    fn who_cannot_be_told_is_nobody() {
        for user in [json!(null), json!([]), json!({"username": 7}), json!({})] {
            let judged = judged(&json!({"userInfo": user, "object": {"spec": {"size": 1}}}));
            assert!(judged.asked.user.is_none() && !judged.allowed(), "{user}");
        }
        let odd = judged(&json!({"operation": "PATCH", "userInfo": {"username": "jane"}}));
        assert_eq!((odd.asked.user, odd.refused), (None, Some(Vec::new())));
        assert!(judged(&json!({"object": {"spec": {}}})).allowed());
    }
}
