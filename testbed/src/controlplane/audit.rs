//! What was asked of the API server, and by whom: its audit log, reduced to requests that write.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde::Deserialize;

/// Everything but reads, without bodies: no Secret's content gets into the log.
pub(super) const POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  verbs: [get, list, watch]
- level: Metadata
";

/// One request that was meant to write, refused or not.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Event")]
pub struct WriteRequest {
    /// Who asked, for example `system:serviceaccount:rds-system:rds-reconciler`.
    pub user: String,
    /// `create`, `update`, `patch`, `delete` or `deletecollection`.
    pub verb: String,
    /// The plural of the resource, with its subresource where there is one: `rdsdatabases/status`.
    pub resource: String,
    /// Namespace and name, as far as the request had them.
    pub object: String,
    /// The HTTP status of the answer.
    pub code: u16,
}

/// A place in the audit log: what was written before it has been seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mark(usize);

/// The writes after `mark`, and the mark after them. A line that is still being written is left for the next time.
pub(super) fn writes_since(log: &Path, mark: Mark) -> Result<(Vec<WriteRequest>, Mark)> {
    let text = fs::read_to_string(log).with_context(|| format!("reading {}", log.display()))?;
    let fresh = text.get(mark.0..).unwrap_or_default();
    let complete = fresh.rfind('\n').map_or("", |end| &fresh[..=end]);
    let writes = complete
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .context("an audit event that cannot be read")?;
    Ok((writes, Mark(mark.0 + complete.len())))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    user: User,
    verb: String,
    object_ref: Option<Reference>,
    response_status: Option<Status>,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reference {
    resource: String,
    subresource: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Status {
    code: u16,
}

impl From<Event> for WriteRequest {
    fn from(event: Event) -> Self {
        let Reference { resource, subresource, namespace, name } = event.object_ref.unwrap_or_default();
        Self {
            user: event.user.username,
            verb: event.verb,
            resource: [Some(resource), subresource].into_iter().flatten().collect::<Vec<_>>().join("/"),
            object: [namespace, name].into_iter().flatten().collect::<Vec<_>>().join("/"),
            code: event.response_status.map_or(0, |status| status.code),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"kind":"Event","verb":"patch","user":{"username":"system:serviceaccount:a:b","groups":[]},"objectRef":{"resource":"rdsdatabases","subresource":"status","namespace":"shop","name":"orders"},"responseStatus":{"metadata":{},"code":200}}"#;

    #[test]
    fn reads_whole_lines_once() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("audit.log");
        fs::write(&log, format!("{EVENT}\n{}", &EVENT[..40])).unwrap();
        let (writes, mark) = writes_since(&log, Mark::default()).unwrap();
        let expected = WriteRequest {
            user: "system:serviceaccount:a:b".to_owned(),
            verb: "patch".to_owned(),
            resource: "rdsdatabases/status".to_owned(),
            object: "shop/orders".to_owned(),
            code: 200,
        };
        assert_eq!(writes, std::slice::from_ref(&expected));
        fs::write(&log, format!("{EVENT}\n{EVENT}\n")).unwrap();
        assert_eq!(writes_since(&log, mark).unwrap().0, [expected]);
    }
}
