//! Bodies of requests, read up to a limit.

use axum::body::Body;
use http_body_util::BodyExt;
use hyper::body::Body as _;

/// How far a body that is not wanted is still read: most clients only look at the answer when they have sent all of it.
const DISCARDED: usize = 32 * 1024 * 1024;

/// Why a body cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// More bytes than the limit.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The connection failed.
    #[error("the body ended early")]
    Incomplete(#[source] axum::Error),
}

/// Reads a body of at most `limit` bytes. Before more of it is kept, `book` is asked for room for all that has come so far: what a header
/// announces takes no memory until it comes.
///
/// # Errors
/// When it is larger, ends before its time, or there is no room.
pub async fn read<E: From<BodyError>>(
    mut body: Body,
    limit: usize,
    mut book: impl FnMut(usize) -> Result<(), E>,
) -> Result<Vec<u8>, E> {
    let declared = body.size_hint().lower();
    if usize::try_from(declared).is_ok_and(|declared| declared <= limit) {
        // All at once where its header says how much: growing step by step would leave holes of its former sizes behind. Pages that nothing
        // was written to are not taken.
        let exact = body.size_hint().exact().and_then(|size| usize::try_from(size).ok());
        let mut bytes = Vec::with_capacity(exact.unwrap_or_default().min(limit));
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(BodyError::Incomplete)?.into_data() else {
                continue;
            };
            let length = bytes.len() + data.len();
            let room = if length > limit { Err(BodyError::TooLarge { limit }.into()) } else { book(length) };
            if let Err(error) = room {
                drop(bytes);
                discard(body).await;
                return Err(error);
            }
            bytes.extend_from_slice(&data);
        }
        return Ok(bytes);
    }
    discard(body).await;
    Err(BodyError::TooLarge { limit }.into())
}

/// Reads a body that is not wanted, and keeps nothing of it.
pub async fn discard(mut body: Body) {
    let mut left = DISCARDED;
    while let Some(Ok(frame)) = body.frame().await {
        match frame.data_ref().map_or(Some(left), |data| left.checked_sub(data.len())) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_limit_is_the_last_size_that_passes() {
        let room = |_| Ok::<_, BodyError>(());
        assert_eq!(read(Body::from(vec![1; 10]), 10, room).await.expect("fits").len(), 10);
        assert!(matches!(read(Body::from(vec![1; 11]), 10, room).await, Err(BodyError::TooLarge { limit: 10 })));
    }
}
