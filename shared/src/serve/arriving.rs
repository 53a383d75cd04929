//! Bodies that tell when all of them is there.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::places::Place;

/// The body of a request that tells its connection's place when the request has come as a whole.
pub(super) struct Arriving {
    body: Incoming,
    /// Whom to tell, once.
    place: Option<Arc<Place>>,
}

impl Arriving {
    pub(super) fn new(body: Incoming, place: Arc<Place>) -> Self {
        let mut arriving = Self { body, place: Some(place) };
        arriving.tell_at_the_end();
        arriving
    }

    fn tell_at_the_end(&mut self) {
        if self.body.is_end_stream()
            && let Some(place) = self.place.take()
        {
            place.asked();
        }
    }
}

impl Body for Arriving {
    type Data = <Incoming as Body>::Data;
    type Error = <Incoming as Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        self.tell_at_the_end();
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
