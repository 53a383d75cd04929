//! The places that connections take, and give up for others.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;

use super::order::{Occupant, Standing, first_to_close};

/// So many places, each taken by one connection.
#[derive(Debug)]
pub(super) struct Places {
    limit: usize,
    taken: Mutex<Taken>,
    /// A place became free, or whoever is in it could be asked to leave.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Taken {
    occupants: BTreeMap<u64, (Occupant, CancellationToken)>,
    /// The last number of a connection or of an answer.
    last: u64,
    /// Whoever was asked to leave, and is not gone yet.
    leaving: Option<u64>,
}

impl Taken {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

impl Places {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), taken: Mutex::default(), changed: Notify::new() }
    }

    /// Takes a place: a free one, or another connection's, which is closed for it. Waits while each has a request under way. One caller at a time.
    pub(super) async fn take(self: &Arc<Self>, peer: IpAddr) -> Arc<Place> {
        loop {
            if let Some(place) = self.try_take(peer) {
                return place;
            }
            self.changed.notified().await;
            // Whoever is here gets on before the next one comes: also where they come without end, a handshake is through in time.
            yield_now().await;
        }
    }

    fn try_take(self: &Arc<Self>, peer: IpAddr) -> Option<Arc<Place>> {
        let mut taken = self.lock();
        if taken.occupants.len() < self.limit {
            let number = taken.next();
            let occupant = Occupant { number, peer, standing: Standing::Newcomer, since: number, under_way: false };
            let close = CancellationToken::new();
            taken.occupants.insert(number, (occupant, close.clone()));
            return Some(Arc::new(Place { number, close, places: Arc::clone(self) }));
        }
        if taken.leaving.is_none() {
            let first = first_to_close(taken.occupants.values().map(|(occupant, _)| *occupant), self.limit);
            if let Some((occupant, close)) = first.and_then(|first| taken.occupants.get(&first)) {
                close.cancel();
                taken.leaving = Some(occupant.number);
            }
        }
        None
    }

    fn update(&self, number: u64, change: impl FnOnce(&mut Occupant, u64)) {
        let mut taken = self.lock();
        let next = taken.next();
        if let Some((occupant, _)) = taken.occupants.get_mut(&number) {
            change(occupant, next);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // Nothing panics while it is held.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    close: CancellationToken,
    places: Arc<Places>,
}

impl Place {
    /// Cancelled when the connection has to go.
    pub(super) fn closing(&self) -> CancellationToken {
        self.close.clone()
    }

    /// A request has come as a whole.
    pub(super) fn asked(&self) {
        self.places.update(self.number, |occupant, _| occupant.under_way = true);
    }

    /// There is an answer; `served` when it is what was asked for.
    pub(super) fn answered(&self, served: bool) {
        let standing = if served { Standing::Served } else { Standing::Stranger };
        self.places.update(self.number, |occupant, now| {
            occupant.standing = occupant.standing.max(standing);
            occupant.since = now;
            occupant.under_way = false;
        });
        self.places.changed.notify_one();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.occupants.remove(&self.number);
        taken.leaving.take_if(|leaving| *leaving == self.number);
        drop(taken);
        self.places.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[tokio::test]
    async fn i13_a_place_is_given_up_for_a_new_connection() {
        let places = Arc::new(Places::new(1));
        let first = places.take(PEER).await;
        let taking = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.take(PEER).await }
        });
        first.closing().cancelled().await;
        assert!(!taking.is_finished(), "two never have one place");
        drop(first);
        let second = taking.await.expect("it gets the place");
        assert!(!second.closing().is_cancelled());
    }

    #[tokio::test]
    async fn i13_who_is_busy_is_asked_to_leave_when_the_answer_is_there() {
        let places = Arc::new(Places::new(1));
        let busy = places.take(PEER).await;
        busy.asked();
        let taking = tokio::spawn({
            let places = Arc::clone(&places);
            async move { drop(places.take(PEER).await) }
        });
        yield_now().await;
        assert!(!busy.closing().is_cancelled(), "its request is under way");
        busy.answered(true);
        busy.closing().cancelled().await;
        drop(busy);
        taking.await.expect("it gets the place");
    }
}
