//! Sizes and types of storage [RDS User Guide, "Amazon RDS DB instance storage"].

use crate::error::ApiError;
use crate::params::Params;

/// From this size on gp3 volumes are striped, and their performance can be chosen.
const STRIPED: u32 = 400;

/// The volume of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Storage {
    /// GiB.
    pub(super) size: u32,
    pub(super) kind: String,
    pub(super) iops: Option<u32>,
    /// MiB/s.
    pub(super) throughput: Option<u32>,
}

impl Storage {
    /// What a request for a new instance asks for. `size` stands in where the request has none (a restore).
    pub(super) fn parse(params: &Params, size: Option<u32>) -> Result<Self, ApiError> {
        let size = params
            .parsed("AllocatedStorage")?
            .or(size)
            .ok_or_else(|| ApiError::missing_parameter("AllocatedStorage"))?;
        let (iops, throughput) = (params.parsed("Iops")?, params.parsed("StorageThroughput")?);
        let default = if iops.is_some() { "io1" } else { "gp3" };
        let kind = params.text("StorageType").unwrap_or(default);
        Self::check(size, kind, iops, throughput)
    }

    /// Checks a volume and fills in what gp3 has by itself.
    pub(super) fn check(size: u32, kind: &str, iops: Option<u32>, throughput: Option<u32>) -> Result<Self, ApiError> {
        let sizes = match kind {
            "gp2" | "gp3" => 20..=65_536,
            "io1" | "io2" => 100..=65_536,
            "standard" => {
                return Err(ApiError::storage_type_not_supported("Storage type standard is deprecated: use gp3"));
            }
            other => {
                return Err(ApiError::invalid_value(format!("Invalid storage type: {other}")));
            }
        };
        if !sizes.contains(&size) {
            return Err(ApiError::invalid_combination(format!(
                "Invalid storage size for engine name postgres and storage type {kind}: {size}"
            )));
        }
        let (iops, throughput) = match kind {
            "gp3" if size < STRIPED => {
                if iops.is_some() || throughput.is_some() {
                    return Err(ApiError::invalid_combination(format!(
                        "You can't specify IOPS or storage throughput for engine postgres and a storage size less than {STRIPED}."
                    )));
                }
                (Some(3000), Some(125))
            }
            "gp3" => {
                let (iops, throughput) = (iops.unwrap_or(12_000), throughput.unwrap_or(500));
                if !(12_000..=64_000).contains(&iops)
                    || !(500..=4000).contains(&throughput)
                    || iops > size.saturating_mul(500)
                    || throughput.saturating_mul(4) > iops
                {
                    return Err(ApiError::invalid_combination(format!(
                        "Invalid iops or storage throughput for engine name postgres and storage type gp3: {iops}, {throughput}"
                    )));
                }
                (Some(iops), Some(throughput))
            }
            "gp2" if iops.is_some() || throughput.is_some() => {
                return Err(ApiError::invalid_combination(
                    "Invalid to specify iops or storage throughput for storage type gp2",
                ));
            }
            "gp2" => (None, None),
            _ => {
                let iops = iops.ok_or_else(|| {
                    ApiError::invalid_combination(format!("Iops must be specified for storage type {kind}"))
                })?;
                if !(1000..=256_000).contains(&iops) || iops.saturating_mul(2) < size || iops > size.saturating_mul(50)
                {
                    return Err(ApiError::invalid_combination(format!(
                        "Invalid iops value for engine name postgres and storage type {kind}: {iops}"
                    )));
                }
                if throughput.is_some() {
                    return Err(ApiError::invalid_combination(format!(
                        "You can't specify storage throughput for storage type {kind}."
                    )));
                }
                (Some(iops), None)
            }
        };
        Ok(Self { size, kind: kind.to_owned(), iops, throughput })
    }
}

/// A growth must be by 10 % at least; shrinking is impossible.
pub(super) fn check_growth(old: u32, new: u32) -> Result<(), ApiError> {
    if new < old {
        return Err(ApiError::invalid_combination(format!(
            "Invalid storage size: {new}. The allocated storage cannot be decreased below the present {old} GiB."
        )));
    }
    if new < least_growth(old) {
        return Err(ApiError::invalid_combination(
            "Invalid storage modification: the allocated storage must be increased by at least 10 percent.",
        ));
    }
    Ok(())
}

/// A tenth more, in whole GiB.
pub(super) fn least_growth(old: u32) -> u32 {
    old.saturating_add(old.div_ceil(10))
}

/// The limit of autoscaling: 10 % above the allocated size at least. The allocated size itself turns it off.
pub(super) fn max_allocated(limit: u32, allocated: u32) -> Result<Option<u32>, ApiError> {
    if limit == allocated {
        return Ok(None);
    }
    if u64::from(limit) * 10 < u64::from(allocated) * 11 || limit > 65_536 {
        return Err(ApiError::invalid_combination(format!(
            "Invalid max storage size for engine name postgres: {limit}. It must be at least 10 percent above the allocated storage."
        )));
    }
    Ok(Some(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_types() {
        let cases = [
            ("AllocatedStorage=20", Ok((20, "gp3", Some(3000)))),
            ("AllocatedStorage=400", Ok((400, "gp3", Some(12_000)))),
            ("AllocatedStorage=100&Iops=1000", Ok((100, "io1", Some(1000)))),
            ("AllocatedStorage=20&StorageType=gp2", Ok((20, "gp2", None))),
            ("AllocatedStorage=10", Err("InvalidParameterCombination")),
            ("AllocatedStorage=65537", Err("InvalidParameterCombination")),
            ("AllocatedStorage=50&Iops=1000", Err("InvalidParameterCombination")),
            ("AllocatedStorage=20&StorageType=gp3&Iops=3000", Err("InvalidParameterCombination")),
            ("AllocatedStorage=100&StorageType=io2", Err("InvalidParameterCombination")),
            ("AllocatedStorage=100&Iops=1000&StorageThroughput=500", Err("InvalidParameterCombination")),
            ("AllocatedStorage=20&StorageType=standard", Err("StorageTypeNotSupported")),
            ("AllocatedStorage=20&StorageType=ssd", Err("InvalidParameterValue")),
            ("AllocatedStorage=big", Err("MalformedInput")),
            ("", Err("MissingParameter")),
        ];
        for (body, expected) in cases {
            let seen = Storage::parse(&Params::parse(body), None);
            let seen = seen
                .as_ref()
                .map(|storage| (storage.size, storage.kind.as_str(), storage.iops))
                .map_err(|error| error.code.as_str());
            assert_eq!(seen, expected, "{body}");
        }
    }

    #[test]
    fn growth_is_ten_percent_at_least() {
        assert!(check_growth(20, 22).is_ok());
        assert!(check_growth(20, 21).is_err() && check_growth(20, 19).is_err());
        assert_eq!(max_allocated(20, 20).unwrap(), None);
        assert_eq!(max_allocated(22, 20).unwrap(), Some(22));
        assert!(max_allocated(21, 20).is_err());
    }
}
