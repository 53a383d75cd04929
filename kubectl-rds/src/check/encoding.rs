//! From bytes to text, as kubectl does: UTF-8, or UTF-16 where a byte order mark says so.

/// Bytes that are no text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Garbled {
    /// What can be read, with U+FFFD for the rest.
    pub(crate) lossy: String,
    /// The line of the first mistake, from 1.
    pub(crate) line: usize,
    /// What it should have been.
    pub(crate) encoding: &'static str,
}

/// The text that these bytes are, perhaps with its byte order mark.
///
/// # Errors
/// What can be read of bytes that are no text.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<String, Garbled> {
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => String::from_utf8(bytes).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = line_after(&String::from_utf8_lossy(valid));
            Garbled { lossy: String::from_utf8_lossy(error.as_bytes()).into_owned(), line, encoding: "UTF-8" }
        }),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Garbled> {
    let (pairs, rest) = bytes.as_chunks();
    let (mut text, mut mistake) = (String::with_capacity(pairs.len()), None);
    for character in char::decode_utf16(pairs.iter().copied().map(unit)) {
        if character.is_err() {
            mistake.get_or_insert_with(|| line_after(&text));
        }
        text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    match mistake.or_else(|| (!rest.is_empty()).then(|| line_after(&text))) {
        Some(line) => Err(Garbled { lossy: text, line, encoding: "UTF-16" }),
        None => Ok(text),
    }
}

/// The line that follows a text.
fn line_after(text: &str) -> usize {
    text.matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_tells_utf_16() {
        for unit in [u16::to_le_bytes, u16::to_be_bytes] {
            let bytes = |text: &str| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
            assert_eq!(decode(bytes("\u{feff}kind: Ä🦀\n")).unwrap(), "kind: Ä🦀\n");
            let mut half = bytes("\u{feff}a\nb");
            half.pop();
            assert_eq!(decode(half), Err(Garbled { lossy: "a\n".to_owned(), line: 2, encoding: "UTF-16" }));
            let mut alone = bytes("\u{feff}a\n");
            alone.extend(unit(0xd800));
            assert_eq!(decode(alone).unwrap_err().line, 2);
        }
    }

    #[test]
    fn everything_else_is_utf_8() {
        assert_eq!(decode("Ä\n".into()).unwrap(), "Ä\n");
        let garbled = Garbled { lossy: "a\nb\u{fffd}c".to_owned(), line: 2, encoding: "UTF-8" };
        assert_eq!(decode(b"a\nb\xe4c".to_vec()), Err(garbled));
    }
}
