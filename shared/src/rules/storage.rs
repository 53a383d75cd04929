//! What the storage is and does.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::filled::Filled;
use super::path::{Path, SPEC};
use super::quote::described;
use super::raw::field;
use super::reader::Reader;
use super::words::check_storage_type;
use super::{Rule, Size};
use crate::api::database;

/// What other tools call the keys of `spec.storage`, in lower case.
const KEYS_ELSEWHERE: [(&str, &str); 5] = [
    ("storagetype", "type"),
    ("provisionediops", "iops"),
    ("storagethroughput", "throughput"),
    ("bandwidth", "throughput"),
    ("maxallocatedstorage", "autoscaling"),
];

/// What other tools call the key of `spec.storage.autoscaling`, in lower case.
const AUTOSCALING_KEYS_ELSEWHERE: [(&str, &str); 3] =
    [("max", "maxSize"), ("limit", "maxSize"), ("maxallocatedstorage", "maxSize")];

/// What the storage is and does; what is not said of it is left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// The type, such as `gp3`.
    pub kind: Option<String>,
    /// I/O operations a second.
    pub iops: Option<u32>,
    /// Throughput in MiB/s.
    pub throughput: Option<u32>,
    /// Whether it grows by itself.
    pub autoscaling: Option<Autoscaling>,
}

/// Whether the storage grows by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Autoscaling {
    /// It does not.
    Off,
    /// Up to this size.
    To(Size),
}

impl Storage {
    /// The size up to which it may grow by itself, if it does.
    pub fn max_size(&self) -> Option<Size> {
        match self.autoscaling? {
            Autoscaling::Off => None,
            Autoscaling::To(size) => Some(size),
        }
    }
}

impl Reader {
    pub(super) fn storage(&mut self, spec: &Filled<'_>) -> Storage {
        let at = SPEC.field("storage");
        let example = "{iops: 12000, throughput: 500} (how large it is stands in spec.size)";
        let Some(written) = spec.get("storage").and_then(|written| self.map(written, &at, example)) else {
            return Storage::default();
        };
        let kind = field(written, "type").and_then(|value| self.item(value, &at.field("type")));
        let kind = kind.and_then(|text| self.take(&at.field("type"), check_storage_type(text)));
        let iops = self.number(written, &at, "iops", database::Storage::IOPS);
        let throughput = self.number(written, &at, "throughput", database::Storage::THROUGHPUT);
        let autoscaling = self.autoscaling(written, &at);
        self.unknown_keys(written, &at, &database::Storage::KEYS, &KEYS_ELSEWHERE);
        Storage { kind: kind.map(str::to_owned), iops, throughput, autoscaling }
    }

    fn autoscaling(&mut self, storage: &Value, at: &Path<'_>) -> Option<Autoscaling> {
        let at = at.field("autoscaling");
        let written = field(storage, "autoscaling").and_then(|written| self.map(written, &at, "{maxSize: 500Gi}"))?;
        self.unknown_keys(written, &at, &database::Autoscaling::KEYS, &AUTOSCALING_KEYS_ELSEWHERE);
        let filled = Filled { written, added: &[] };
        if filled.get("maxSize").is_none() {
            return Some(Autoscaling::Off);
        }
        let text = self.quantity(&filled, &at, "maxSize", ("Gi", Rule::MalformedSize))?;
        self.take(&at.field("maxSize"), Size::parse(text)).map(Autoscaling::To)
    }

    /// A whole number that may be left out.
    fn number(&mut self, map: &Value, at: &Path<'_>, key: &str, range: RangeInclusive<u32>) -> Option<u32> {
        let value = field(map, key)?;
        let read = value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|read| range.contains(read));
        if read.is_none() {
            let (least, most) = (range.start(), range.end());
            let message = format_args!("must be a whole number from {least} to {most}, not {}", described(value));
            self.refuse(&at.field(key), Rule::WrongType, message);
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{DefaultVersions, defaults, parse};
    use super::*;

    fn parsed(storage: &Value) -> Result<Storage, Vec<String>> {
        let spec = defaults(&json!({"storage": storage}), None, DefaultVersions::BUILT_IN);
        match parse("orders", &spec) {
            Ok(desired) => Ok(desired.storage),
            Err(violations) => Err(violations.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn what_is_not_said_of_the_storage_is_left_alone() {
        let nothing = Storage::default;
        for (storage, wanted) in [
            (json!(null), nothing()),
            (json!({}), nothing()),
            (json!({"type": null, "iops": null, "throughput": null, "autoscaling": null}), nothing()),
            (json!({"autoscaling": {"maxSize": null}}), Storage { autoscaling: Some(Autoscaling::Off), ..nothing() }),
            (json!({"type": "io2"}), Storage { kind: Some("io2".into()), ..nothing() }),
            (json!({"iops": 1000}), Storage { iops: Some(1000), ..nothing() }),
            (json!({"throughput": 4000}), Storage { throughput: Some(4000), ..nothing() }),
            (
                json!({"iops": 256_000, "throughput": 125}),
                Storage { iops: Some(256_000), throughput: Some(125), ..nothing() },
            ),
            (
                json!({"autoscaling": {"maxSize": "1Ti"}}),
                Storage { autoscaling: Size::parse("1Ti").ok().map(Autoscaling::To), ..nothing() },
            ),
        ] {
            assert_eq!(parsed(&storage), Ok(wanted), "{storage}");
        }
    }

    #[test]
    fn numbers_are_refused_with_what_is_allowed() {
        for (storage, said) in [
            (
                json!("100GB"),
                "spec.storage: must be a map such as {iops: 12000, throughput: 500} (how large it is stands in spec.size), not",
            ),
            (
                json!({"iops": "12000"}),
                "spec.storage.iops: must be a whole number from 1000 to 256000, not the text \"12000\"",
            ),
            (json!({"iops": 12_000.5}), "not the number 12000.5"),
            (json!({"iops": 999}), "spec.storage.iops: must be a whole number from 1000 to 256000, not the number 999"),
            (json!({"iops": -1}), "not the number -1"),
            (json!({"iops": u64::MAX}), "not the number 18446744073709551615"),
            (
                json!({"throughput": 4001}),
                "spec.storage.throughput: must be a whole number from 125 to 4000, not the number 4001",
            ),
            (
                json!({"size": 1}),
                "spec.storage.size: is not a field: spec.storage has type, iops, throughput or autoscaling",
            ),
            (json!({"type": "gp4"}), "spec.storage.type: \"gp4\" is not a storage type: write gp3, gp2, io1 or io2"),
            (json!({"autoscaling": true}), "spec.storage.autoscaling: must be a map such as {maxSize: 500Gi}, not"),
            (
                json!({"autoscaling": {"maxSize": 500}}),
                "spec.storage.autoscaling.maxSize: 500 has no unit: write \"500Gi\"",
            ),
            (json!({"autoscaling": {"max": "1Ti"}}), "did you mean \"maxSize\"?"),
            (json!({"storageThroughput": 1}), "did you mean \"throughput\"?"),
        ] {
            let refused = parsed(&storage).expect_err("it is refused");
            assert!(matches!(&refused[..], [only] if only.contains(said)), "{storage}: {refused:?}");
        }
    }

    #[test]
    fn storage_that_left_the_manifest_keeps_what_it_had() {
        let old = json!({"storage": {"iops": 13_000, "throughput": 600}});
        let kept = |spec: Value| defaults(&spec, Some(&old), DefaultVersions::BUILT_IN)["storage"].clone();
        assert_eq!(kept(json!({})), old["storage"]);
        assert_eq!(
            kept(json!({"storage": {"iops": 14_000}})),
            json!({"iops": 14_000}),
            "the other is left alone from now on"
        );
        assert_eq!(kept(json!({"storage": {}})), json!({}));
    }
}
