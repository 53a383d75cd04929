//! The parameters of one request, flat as the Query protocol sends them (`Tags.Tag.1.Key=team`).

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use percent_encoding::percent_decode_str;

use crate::error::ApiError;

/// The decoded form body of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Params(BTreeMap<String, String>);

impl Params {
    /// Decodes an `application/x-www-form-urlencoded` body; undecodable bytes become the replacement character.
    pub fn parse(body: &str) -> Self {
        let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        Self(
            body.split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(key, value)| (decode(key), decode(value)))
                .collect(),
        )
    }

    /// The value as sent; an empty one counts as absent, as RDS has it.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value, or the `MissingParameter` that RDS answers.
    pub fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.text(name).ok_or_else(|| ApiError::missing_parameter(name))
    }

    /// The names of all parameters that say something, lists and structures by their first part.
    pub fn sent(&self) -> BTreeSet<&str> {
        let said = self.0.iter().filter(|(_, value)| !value.is_empty());
        said.map(|(key, _)| key.split_once('.').map_or(key.as_str(), |(name, _)| name)).collect()
    }

    /// Those that an action knows: what is of another one is ignored, as by AWS.
    pub(crate) fn without(&self, names: &[&str]) -> Self {
        let kept = self.0.iter().filter(|(key, _)| !names.contains(&key.as_str()));
        Self(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    /// A boolean, `true` or `false` in any case.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.text(name) {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(text) => Err(ApiError::malformed(format!("{text} must be either 'true' or 'false'"))),
        }
    }

    /// A number or a point in time, whatever `T` reads.
    pub fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, ApiError> {
        self.text(name)
            .map(|text| {
                text.parse().map_err(|_| ApiError::malformed(format!("{text} is not a valid value for {name}")))
            })
            .transpose()
    }

    /// The members of a list, in order, whatever the member is called (`Name.member.1`, `Name.Tag.1`). `None` where no member was sent.
    pub fn list(&self, name: &str) -> Option<Vec<Params>> {
        let prefix = format!("{name}.");
        let mut members: BTreeMap<u32, BTreeMap<String, String>> = BTreeMap::new();
        for (key, value) in self.0.range(prefix.clone()..) {
            let Some(rest) = key.strip_prefix(&prefix) else {
                break;
            };
            let mut parts = rest.splitn(3, '.');
            let (_, index, field) = (parts.next(), parts.next(), parts.next());
            if let Some(index) = index.and_then(|index| index.parse().ok()) {
                members.entry(index).or_default().insert(field.unwrap_or_default().to_owned(), value.clone());
            }
        }
        (!members.is_empty()).then(|| members.into_values().map(Params).collect())
    }

    /// The members of a list of plain values.
    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        let members = self.list(name)?;
        Some(members.into_iter().filter_map(|mut member| member.0.remove("")).collect())
    }

    /// The filters of a Describe call: name and accepted values.
    pub fn filters(&self) -> Result<Vec<(String, Vec<String>)>, ApiError> {
        self.list("Filters")
            .unwrap_or_default()
            .iter()
            .map(|filter| {
                let values = filter.texts("Values").unwrap_or_default();
                Ok((filter.required("Name")?.to_owned(), values))
            })
            .collect()
    }
}

/// Parameters by name, as they are before they are encoded.
impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Params {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lists_of_structures_in_order() {
        let params =
            Params::parse("Tags.Tag.10.Key=z&Tags.Tag.2.Key=team&Tags.Tag.2.Value=a+b%2Fc&TagsOther.member.1=x");
        let keys: Vec<_> = params.list("Tags").unwrap().iter().map(|tag| tag.text("Key").unwrap().to_owned()).collect();
        assert_eq!(keys, ["team", "z"]);
        assert_eq!(params.list("Tags").unwrap()[0].text("Value"), Some("a b/c"));
        assert_eq!(params.texts("TagsOther"), Some(vec!["x".to_owned()]));
        assert!(params.list("Absent").is_none());
    }

    #[test]
    fn reads_filters_and_refuses_what_is_no_number() {
        let params = Params::parse(
            "Filters.Filter.1.Name=engine&Filters.Filter.1.Values.Value.1=postgres&MaxRecords=many&ApplyImmediately=maybe",
        );
        assert_eq!(params.filters().unwrap(), [("engine".to_owned(), vec!["postgres".to_owned()])]);
        assert!(params.parsed::<u32>("MaxRecords").is_err());
        assert!(params.boolean("ApplyImmediately").is_err());
    }
}
