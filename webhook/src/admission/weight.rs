//! What JSON takes in memory once it is read, told from its bytes: three of them (`[],`) become a hundred.

/// Most that one specification may weigh. Whatever the rules admit weighs less than half of it; what is a little too large is still told
/// what is wrong with it.
pub(super) const HEAVIEST: usize = 27 * 1024 * 1024;

/// A specification, or a recorded one, that is not read because it weighs more than any that is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is too large to be judged: no valid specification that etcd can store holds as much")]
pub struct TooHeavy;

/// An upper bound of the bytes that `serde_json::Value`s take which are read from `json`.
///
/// By the layout of 64-bit targets: a map allocates a node for eleven entries with its first one, and a full node splits in
/// halves; a list allocates four slots with its first item, and doubles; each text is an allocation of its own. Punctuation
/// inside texts is counted as well, so that JSON inside a text, as kubectl records it, is weighed with the rest.
pub fn weight(json: &[u8]) -> usize {
    const MAP: usize = 640;
    const ENTRY: usize = 96;
    const LIST: usize = 128;
    const ITEM: usize = 96;
    // One pass for each mark, over pieces whose count fits a byte: the compiler counts 16 or 32 bytes at a time then.
    let count =
        |piece: &[u8], mark: u8| usize::from(piece.iter().fold(0_u8, |sum, byte| sum + u8::from(*byte == mark)));
    let weighs =
        |mark, each: usize| json.chunks(255).map(|piece| count(piece, mark)).sum::<usize>().saturating_mul(each);
    let marks = [weighs(b'{', MAP), weighs(b':', ENTRY), weighs(b'[', LIST), weighs(b',', ITEM)];
    marks.into_iter().fold(json.len(), usize::saturating_add)
}

/// Lets through what is not too heavy to be read.
pub(super) fn bearable(json: &str) -> Result<&str, TooHeavy> {
    if weight(json.as_bytes()) > HEAVIEST { Err(TooHeavy) } else { Ok(json) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;

    #[test]
    fn the_largest_that_can_be_stored_is_read() {
        let users: Vec<String> = (0..500).map(|n| format!("u{n}")).collect();
        let flags: Map<_, _> = users.iter().map(|user| (user.clone(), json!(["superuser", "createdb"]))).collect();
        let databases: Map<_, _> = (0..500).map(|n| (format!("d{n}"), json!(users))).collect();
        let spec: Value = json!({"users": flags, "databases": databases});
        assert!(spec.to_string().len() > 1_536 * 1024, "etcd would take more");
        assert!(bearable(&spec.to_string()).is_ok());
    }

    #[test]
    fn small_but_many_things_are_too_heavy() {
        for piece in ["{\"\":1},", "[[]],", "0,"] {
            let json = format!("[{}0]", piece.repeat(3_000_000 / piece.len()));
            assert_eq!(bearable(&json), Err(TooHeavy), "{piece}");
        }
    }

    #[test]
    fn punctuation_in_texts_weighs_too() {
        let inner = json!({"spec": {"users": {"a": []}}}).to_string();
        assert!(weight(json!(inner).to_string().as_bytes()) >= weight(inner.as_bytes()));
    }
}
