//! Pagination: `MaxRecords` and an opaque `Marker`.

use crate::error::ApiError;
use crate::params::Params;

/// One page of a sorted listing, and the marker of the next page when there is one.
#[derive(Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// In the order of the listing.
    pub items: Vec<T>,
    /// What a request for the next page sends.
    pub marker: Option<String>,
}

/// Cuts the page a request asks for out of `items`, which come sorted by `key`. The marker names the last item given, so a listing that
/// changes between two calls neither repeats nor skips what stays.
pub fn paginate<T>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
    params: &Params,
) -> Result<Page<T>, ApiError> {
    let limit = params.parsed::<i64>("MaxRecords")?.unwrap_or(100);
    let limit = usize::try_from(limit).ok().filter(|limit| (20..=100).contains(limit)).ok_or_else(|| {
        ApiError::invalid_value(format!("Invalid value {limit} for MaxRecords. Must be between 20 and 100"))
    })?;
    let after = params.text("Marker").map(decode).transpose()?;
    let mut rest = items.into_iter().filter(|item| after.as_ref().is_none_or(|after| key(item) > *after)).peekable();
    let items: Vec<T> = rest.by_ref().take(limit).collect();
    let marker = match items.last() {
        Some(last) if rest.peek().is_some() => Some(encode(&key(last))),
        _ => None,
    };
    Ok(Page { items, marker })
}

fn encode(key: &str) -> String {
    key.bytes()
        .flat_map(|byte| [byte >> 4, byte & 0xf])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn decode(marker: &str) -> Result<String, ApiError> {
    let invalid = || ApiError::invalid_value(format!("Invalid marker: {marker}"));
    let bytes: Option<Vec<u8>> = (0..marker.len())
        .step_by(2)
        .map(|at| marker.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()))
        .collect();
    String::from_utf8(bytes.ok_or_else(invalid)?).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cover_everything_once() {
        let items: Vec<String> = (0..45).map(|n| format!("item-{n:02}")).collect();
        let mut seen = Vec::new();
        let mut body = "MaxRecords=20".to_owned();
        loop {
            let page = paginate(items.clone(), Clone::clone, &Params::parse(&body)).unwrap();
            seen.extend(page.items);
            match page.marker {
                Some(marker) => body = format!("MaxRecords=20&Marker={marker}"),
                None => break,
            }
        }
        assert_eq!(seen, items);
    }

    #[test]
    fn a_full_last_page_has_no_marker_and_bad_input_is_refused() {
        let items: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        let page = |body| paginate(items.clone(), Clone::clone, &Params::parse(body));
        assert_eq!(page("MaxRecords=20").unwrap().marker, None);
        for body in ["MaxRecords=19", "MaxRecords=101", "Marker=zz", "Marker=f"] {
            assert_eq!(page(body).unwrap_err().code, "InvalidParameterValue", "{body}");
        }
    }
}
