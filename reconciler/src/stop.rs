//! The end of a process that has hardly begun.

use futures::FutureExt as _;
use kube::runtime::reflector::{Lookup, Store};
use tokio_util::sync::CancellationToken;

/// Completes when `stop` comes before all objects are known.
///
/// No pass has begun by then, and kube's controller waits for the objects to be known before it ends, though it has stopped its watches: it
/// would wait for ever, and keep the Lease from the next leader.
pub(crate) async fn before_the_first_pass<K>(stop: CancellationToken, objects: Store<K>)
where
    K: Lookup + Clone + 'static,
    K::DynamicType: Clone + Eq + std::hash::Hash,
{
    stop.cancelled().await;
    if objects.wait_until_ready().now_or_never().is_some() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use kube::runtime::reflector;
    use kube::runtime::watcher::Event;
    use shared::api::RDSDatabase;

    use super::*;

    #[test]
    fn only_who_knows_no_objects_yet_has_nothing_to_finish() {
        let (objects, mut writer) = reflector::store::<RDSDatabase>();
        let stop = CancellationToken::new();
        let over = || before_the_first_pass(stop.clone(), objects.clone()).now_or_never().is_some();
        assert!(!over(), "nobody has asked it to stop");
        stop.cancel();
        assert!(over(), "there is no pass to wait for");
        writer.apply_watcher_event(&Event::Init);
        writer.apply_watcher_event(&Event::InitDone);
        assert!(!over(), "passes may be under way: the controller waits for them");
    }
}
