//! What is told of a figure that was measured several times.

/// The median of some figures, and how far they spread; of at least one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// The middle one, or between the two in the middle.
    pub(crate) median: f64,
    /// The smallest.
    pub(crate) low: f64,
    /// The largest.
    pub(crate) high: f64,
}

impl Spread {
    /// Of these figures; `None` when there are none.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_unstable_by(f64::total_cmp);
        let (&low, &high) = (figures.first()?, figures.last()?);
        let middle = figures.len() / 2;
        let median = if figures.len().is_multiple_of(2) {
            f64::midpoint(figures[middle - 1], figures[middle])
        } else {
            figures[middle]
        };
        Some(Self { median, low, high })
    }

    /// The median, and in parentheses the smallest and the largest.
    pub(crate) fn show(&self, show: impl Fn(f64) -> String) -> String {
        format!("{} ({} to {})", show(self.median), show(self.low), show(self.high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let spread = Spread::of([3.0, 1.0, 8.0]).unwrap();
        assert_eq!(spread, Spread { median: 3.0, low: 1.0, high: 8.0 });
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 8.0]), Some(spread));
        assert_eq!(Spread::of([]), None);
        assert_eq!(spread.show(|figure| format!("{figure:.1}")), "3.0 (1.0 to 8.0)");
    }
}
