//! XML answers, built as a tree and written once.

use std::fmt::Display;

use jiff::Timestamp;
use quick_xml::escape::escape;

/// One element: a name with either text or children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    name: &'static str,
    content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Text(String),
    Children(Vec<Node>),
}

impl Node {
    /// An element with text in it.
    pub(crate) fn leaf(name: &'static str, value: impl Display) -> Self {
        Self { name, content: Content::Text(value.to_string()) }
    }

    /// An element with a point in time, to the millisecond as RDS writes it.
    pub(crate) fn time(name: &'static str, at: Timestamp) -> Self {
        Self::leaf(name, format_args!("{at:.3}"))
    }

    /// An element with other elements in it.
    pub(crate) fn tree(name: &'static str, children: Vec<Node>) -> Self {
        Self { name, content: Content::Children(children) }
    }

    /// A list whose members all have the same name.
    pub(crate) fn list<T>(
        name: &'static str,
        members: impl IntoIterator<Item = T>,
        member: impl Fn(T) -> Node,
    ) -> Self {
        Self::tree(name, members.into_iter().map(member).collect())
    }

    fn write(&self, out: &mut String) {
        let name = self.name;
        out.extend(["<", name, ">"]);
        match &self.content {
            Content::Text(text) => out.push_str(&escape(text.as_str())),
            Content::Children(children) => children.iter().for_each(|child| child.write(out)),
        }
        out.extend(["</", name, ">"]);
    }
}

/// The whole answer: `<ActionResponse><ActionResult>…</ActionResult><ResponseMetadata>…`. An action without a result has no result element.
pub(crate) fn response(action: &str, namespace: &str, result: Option<&[Node]>, request_id: &str) -> String {
    let mut out = format!("<{action}Response xmlns=\"{namespace}\">");
    if let Some(children) = result {
        out.extend(["<", action, "Result>"]);
        for child in children {
            child.write(&mut out);
        }
        out.extend(["</", action, "Result>"]);
    }
    Node::tree("ResponseMetadata", vec![Node::leaf("RequestId", request_id)]).write(&mut out);
    out.extend(["</", action, "Response>"]);
    out
}

/// The body of a failure.
pub(crate) fn error(namespace: &str, kind: &'static str, code: &str, message: &str, request_id: &str) -> String {
    let mut out = format!("<ErrorResponse xmlns=\"{namespace}\">");
    Node::tree("Error", vec![Node::leaf("Type", kind), Node::leaf("Code", code), Node::leaf("Message", message)])
        .write(&mut out);
    Node::leaf("RequestId", request_id).write(&mut out);
    out.push_str("</ErrorResponse>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_escaped_elements_and_times_to_the_millisecond() {
        let at: Timestamp = "2026-03-01T04:05:06.123456789Z".parse().unwrap();
        let result = [Node::leaf("A", "<&>"), Node::time("T", at)];
        assert_eq!(
            response("Do", "urn:x", Some(&result), "id"),
            "<DoResponse xmlns=\"urn:x\"><DoResult><A>&lt;&amp;&gt;</A><T>2026-03-01T04:05:06.123Z</T></DoResult>\
             <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DoResponse>"
        );
        assert!(!response("Do", "urn:x", None, "id").contains("DoResult"));
    }
}
