//! Events as XML.

use rds_model::{Event, Source};

use super::Call;
use crate::wire::Node;

/// An `Event`.
pub(super) fn event(call: &Call<'_>, event: &Event) -> Node {
    let arn = match &event.source {
        Source::DbInstance(id) => call.service.account.arn("db", id),
        Source::DbSnapshot(id) => call.service.account.arn("snapshot", id),
    };
    Node::tree(
        "Event",
        vec![
            Node::leaf("SourceIdentifier", event.source.id()),
            Node::leaf("SourceType", event.source.kind()),
            Node::leaf("Message", &event.message),
            Node::list("EventCategories", [event.category.name()], |name| Node::leaf("EventCategory", name)),
            Node::time("Date", event.at),
            Node::leaf("SourceArn", arn),
        ],
    )
}
