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

/// Bytes that a body will take, as far as its header says; `limit` where it says nothing.
pub fn expected_size(body: &Body, limit: usize) -> usize {
    let exact = body.size_hint().exact().and_then(|size| usize::try_from(size).ok());
    exact.unwrap_or(limit).min(limit)
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// When it is larger, or ends before its time.
pub async fn read(mut body: Body, limit: usize) -> Result<Vec<u8>, BodyError> {
    let declared = body.size_hint().lower();
    if usize::try_from(declared).is_ok_and(|declared| declared <= limit) {
        // All at once where its header says how much: growing step by step would leave holes of its former sizes behind.
        let exact = body.size_hint().exact().and_then(|size| usize::try_from(size).ok());
        let mut bytes = Vec::with_capacity(exact.unwrap_or_default().min(limit));
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(BodyError::Incomplete)?.into_data() else {
                continue;
            };
            if bytes.len() + data.len() > limit {
                discard(body).await;
                return Err(BodyError::TooLarge { limit });
            }
            bytes.extend_from_slice(&data);
        }
        return Ok(bytes);
    }
    discard(body).await;
    Err(BodyError::TooLarge { limit })
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
        assert_eq!(read(Body::from(vec![1; 10]), 10).await.expect("fits").len(), 10);
        assert!(matches!(read(Body::from(vec![1; 11]), 10).await, Err(BodyError::TooLarge { limit: 10 })));
    }
}
