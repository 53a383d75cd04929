//! Sizes, decimal and binary, and the whole gibibytes RDS deals in.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::quote::{did_you_mean, quoted};
use super::{Refusal, Rule};

/// Whole gibibytes (2^30 bytes), the unit of `AllocatedStorage` in the RDS API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Gibibytes(u32);

impl Gibibytes {
    /// The smallest gp3 volume. Source: RDS API, CreateDBInstance, AllocatedStorage.
    pub const SMALLEST: Self = Self(20);
    /// The largest gp3 volume. Source: RDS API, CreateDBInstance, AllocatedStorage.
    pub const LARGEST: Self = Self(65_536);

    /// A number of gibibytes.
    pub const fn new(gibibytes: u32) -> Self {
        Self(gibibytes)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// What to ask for so that a volume of this size becomes at least `wanted`: RDS grows volumes by 10 % or more,
    /// and never past [`Gibibytes::LARGEST`]. The same size when nothing is to be grown.
    ///
    /// Source: RDS API, ModifyDBInstance, AllocatedStorage.
    #[must_use]
    pub fn grown_to(self, wanted: Self) -> Self {
        if wanted <= self {
            return self;
        }
        let step = Self((u64::from(self.0) * 11).div_ceil(10).try_into().unwrap_or(u32::MAX));
        wanted.max(step.min(Self::LARGEST))
    }
}

impl fmt::Display for Gibibytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Gi", self.0)
    }
}

/// A size as it was written, such as `10GB` or `93.5Gi`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size {
    bytes: u128,
}

const GIBIBYTE: u128 = 1 << 30;

impl Size {
    /// The pattern of a size, for schemas. What it admits can still be too large.
    pub(crate) const PATTERN: &'static str = r"^[0-9]+(\.[0-9]+)?(e[0-9]+)?(G|GB|Gi|GiB|T|TB|Ti|TiB)$";

    /// The size of a text: a number, perhaps with a fraction or an exponent, and a unit.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let (number, unit) = split(text);
        let scale: u128 = match unit {
            "G" | "GB" => 1_000_000_000,
            "T" | "TB" => 1_000_000_000_000,
            "Gi" | "GiB" => GIBIBYTE,
            "Ti" | "TiB" => GIBIBYTE << 10,
            _ => return Err(malformed(text)),
        };
        let number = Number::parse(number).ok_or_else(|| malformed(text))?;
        if number.is_zero() {
            return Err(Refusal::new(
                Rule::ZeroSize,
                format!(
                    "{} is no size: write at least 1GB; RDS allocates at least {}",
                    quoted(text),
                    Gibibytes::SMALLEST
                ),
            ));
        }
        let largest = u128::from(Gibibytes::LARGEST.get()) * GIBIBYTE;
        number.times(scale).filter(|bytes| *bytes <= largest).map(|bytes| Self { bytes }).ok_or_else(|| {
            Refusal::new(
                Rule::SizeAboveMaximum,
                format!("{} is larger than RDS's largest volume of {} (64Ti)", quoted(text), Gibibytes::LARGEST),
            )
        })
    }

    /// The gibibytes that hold this size, rounded up, whatever RDS's limits are.
    pub fn gibibytes(self) -> Gibibytes {
        // `parse` admits no more than 65,536 GiB.
        Gibibytes(u32::try_from(self.bytes.div_ceil(GIBIBYTE)).unwrap_or(Gibibytes::LARGEST.get()))
    }

    /// What RDS is asked for: whole gibibytes, rounded up, at least the smallest volume.
    pub fn allocated(self) -> Gibibytes {
        self.gibibytes().max(Gibibytes::SMALLEST)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.gibibytes())
    }
}

/// Splits a text into its number and its unit; an `e` belongs to the number when a digit follows.
fn split(text: &str) -> (&str, &str) {
    let mut end = 0;
    let bytes = text.as_bytes();
    for (index, byte) in bytes.iter().enumerate() {
        let exponent = *byte == b'e' && bytes.get(index + 1).is_some_and(u8::is_ascii_digit);
        if !(byte.is_ascii_digit() || *byte == b'.' || exponent) {
            break;
        }
        end = index + 1;
    }
    text.split_at(end)
}

/// A decimal number: `digits × 10^(exponent - decimals)`.
struct Number {
    digits: u128,
    decimals: u32,
    exponent: u32,
}

impl Number {
    fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once('e') {
            Some((mantissa, exponent)) => (mantissa, digits(exponent)?),
            None => (text, "0"),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (digits(whole)?, digits(fraction)?),
            None => (digits(mantissa)?, ""),
        };
        let fraction = fraction.trim_end_matches('0');
        Some(Self {
            // Saturation keeps absurd numbers absurd: they end as "larger than the largest volume".
            digits: format!("{whole}{fraction}").parse().unwrap_or(u128::MAX),
            decimals: u32::try_from(fraction.len()).unwrap_or(u32::MAX),
            exponent: exponent.parse().unwrap_or(u32::MAX),
        })
    }

    fn is_zero(&self) -> bool {
        self.digits == 0
    }

    /// The number times a scale, rounded up; none when it is out of any range.
    fn times(&self, scale: u128) -> Option<u128> {
        let scaled = self.digits.checked_mul(scale)?;
        if self.exponent >= self.decimals {
            scaled.checked_mul(10_u128.checked_pow(self.exponent - self.decimals)?)
        } else {
            // A divisor past u128 leaves less than a byte.
            Some(10_u128.checked_pow(self.decimals - self.exponent).map_or(1, |divisor| scaled.div_ceil(divisor)))
        }
    }
}

fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

fn malformed(text: &str) -> Refusal {
    let compact: String = text.chars().filter(|c| !c.is_whitespace() && *c != '_' && *c != ',').collect();
    let (number, unit) = split(&compact);
    let lower = unit.to_lowercase();
    let unit = match lower.as_str() {
        "" | "g" | "gb" => "GB",
        "gi" | "gib" => "Gi",
        "t" | "tb" => "TB",
        "ti" | "tib" => "Ti",
        "m" | "mb" => "MB",
        "mi" | "mib" => "Mi",
        _ => "",
    };
    let whole = |per: u64| number.parse::<u64>().ok().map(|number| number.div_ceil(per));
    let meant = match unit {
        "" => None,
        // RDS deals in nothing smaller than a gibibyte.
        "MB" => whole(1000).map(|number| format!("{number}GB")),
        "Mi" => whole(1024).map(|number| format!("{number}Gi")),
        unit => Number::parse(number).map(|_| format!("{number}{unit}")),
    };
    let hint = meant.map(|meant| did_you_mean(&meant)).unwrap_or_default();
    Refusal::new(
        Rule::MalformedSize,
        format!("{} is not a size: write a number and GB or Gi (TB or Ti), such as 10GB or 20Gi{hint}", quoted(text)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allocated(text: &str) -> u32 {
        Size::parse(text).unwrap().allocated().get()
    }

    #[test]
    fn decimal_and_binary_units() {
        for (text, gibibytes) in [
            ("10GB", 20),
            ("10G", 20),
            ("10Gi", 20),
            ("10GiB", 20),
            ("1e1GB", 20),
            ("20Gi", 20),
            ("21GB", 20),
            ("22GB", 21),
            ("100GB", 94),
            ("100Gi", 100),
            ("1e2Gi", 100),
            ("100.0Gi", 100),
            ("100.01Gi", 101),
            ("1TB", 932),
            ("1.5Ti", 1536),
            ("0.5e3Gi", 500),
            ("64Ti", 65_536),
            ("65536GiB", 65_536),
        ] {
            assert_eq!(allocated(text), gibibytes, "{text}");
        }
    }

    #[test]
    fn what_is_no_size() {
        for text in [
            "",
            "GB",
            "10",
            "10 GB",
            "10gb",
            "10MB",
            "10g",
            "-10GB",
            "+10GB",
            ".5GB",
            "5.GB",
            "1e",
            "1eGB",
            "1e-1GB",
            "e1GB",
            "1.2.3GB",
            "10GBGB",
            "١٠GB",
            "0GB",
            "0.0Gi",
            "65537Gi",
            "65Ti",
            "1e9GB",
            "1e99999999999GB",
            "NaNGB",
            "infGB",
            "99999999999999999999999999999999999999999999GB",
        ] {
            assert!(Size::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_was_probably_meant_is_said() {
        for (written, meant) in [
            ("10", "10GB"),
            ("10 gb", "10GB"),
            ("20GIB", "20Gi"),
            ("1,000GB", "1000GB"),
            ("500MB", "1GB"),
            ("10240 MiB", "10Gi"),
        ] {
            let refusal = Size::parse(written).unwrap_err();
            assert!(refusal.message.ends_with(&format!("did you mean \"{meant}\"?")), "{refusal}");
        }
        assert!(!Size::parse("much").unwrap_err().message.contains("did you mean"));
    }

    #[test]
    fn growth_is_at_least_a_tenth() {
        for (from, wanted, asked) in
            [(20, 21, 22), (20, 20, 20), (20, 10, 20), (20, 50, 50), (95, 96, 105), (65_000, 65_100, 65_536)]
        {
            assert_eq!(Gibibytes::new(from).grown_to(Gibibytes::new(wanted)).get(), asked, "{from} to {wanted}");
        }
    }
}
