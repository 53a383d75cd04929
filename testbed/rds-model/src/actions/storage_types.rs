//! What the types of storage have [RDS User Guide, "Amazon RDS DB instance storage"]: the ranges that are told. [`super::storage`] is held to
//! them by a test.

use std::ops::RangeInclusive;

/// A type of storage on offer.
#[derive(Clone, Debug, PartialEq)]
pub struct StorageType {
    /// `gp3`.
    pub name: &'static str,
    /// GiB.
    pub sizes: RangeInclusive<u32>,
    /// Operations a second, where they can be chosen.
    pub iops: Option<Chosen>,
    /// MiB/s, where they can be chosen.
    pub throughput: Option<Chosen>,
}

/// A performance that can be chosen within limits of its own and in proportion to something else.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// In its own unit.
    pub range: RangeInclusive<u32>,
    /// The least and the most of it, of IOPS for each GiB, of MiB/s for each of the IOPS.
    pub ratio: (f64, f64),
}

/// gp3 has what can be chosen from 400 GiB on.
pub(crate) const STORAGE_TYPES: [StorageType; 4] = [
    StorageType { name: "gp2", sizes: 20..=65_536, iops: None, throughput: None },
    StorageType {
        name: "gp3",
        sizes: 20..=65_536,
        iops: Some(Chosen { range: 12_000..=64_000, ratio: (0.0, 500.0) }),
        throughput: Some(Chosen { range: 500..=4_000, ratio: (0.0, 0.25) }),
    },
    StorageType {
        name: "io1",
        sizes: 100..=65_536,
        iops: Some(Chosen { range: 1_000..=256_000, ratio: (0.5, 50.0) }),
        throughput: None,
    },
    StorageType {
        name: "io2",
        sizes: 100..=65_536,
        iops: Some(Chosen { range: 1_000..=256_000, ratio: (0.5, 50.0) }),
        throughput: None,
    },
];

#[cfg(test)]
mod tests {
    use super::super::storage::Storage;
    use super::*;

    #[test]
    fn what_is_offered_is_taken_and_what_is_beyond_is_not() {
        for StorageType { name, sizes, iops, throughput } in STORAGE_TYPES {
            let taken = |size, iops, throughput| Storage::check(size, name, iops, throughput).is_ok();
            let some = |size: u32| iops.as_ref().filter(|_| name != "gp3" || size >= 400).map(|_| 1_000.max(size));
            let (least, most) = (*sizes.start(), *sizes.end());
            assert!(taken(least, some(least), None) && !taken(least - 1, some(least), None), "{name}");
            let many = iops.as_ref().map(|iops| *iops.range.end());
            assert!(taken(most, many, None) && !taken(most + 1, many, None), "{name}");
            let Some(Chosen { range, ratio: (_, per_gib) }) = iops else { continue };
            // At 5,120 GiB no proportion is in the way of the most, and at 400 none in that of the least.
            assert!(taken(5_120, Some(*range.end()), None) && !taken(5_120, Some(range.end() + 1), None), "{name}");
            assert!(taken(400, Some(*range.start()), None) && !taken(400, Some(range.start() - 1), None), "{name}");
            if per_gib < 100.0 {
                assert!(taken(400, Some(20_000), None) && !taken(400, Some(20_001), None), "{name}");
            }
            let Some(Chosen { range, ratio: (_, per_iops) }) = throughput else { continue };
            assert!(taken(400, Some(16_000), Some(*range.end())) && !taken(400, Some(17_000), Some(range.end() + 1)));
            assert!(taken(400, None, Some(*range.start())) && !taken(400, None, Some(range.start() - 1)));
            assert!((per_iops - 0.25).abs() < f64::EPSILON);
            assert!(!taken(400, Some(15_999), Some(*range.end())));
        }
    }
}
