//! What a step costs, and when it is made: in the same words before it is admitted, in what is planned, and in conditions.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::WeeklyWindow;

/// What a step means for those who use the database, or pay for it. A step can mean more than one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Impact {
    /// Nobody notices.
    #[serde(rename = "none")]
    None,
    /// The server is away for about a minute.
    #[serde(rename = "brief outage")]
    BriefOutage,
    /// The server is away for minutes, or for longer.
    #[serde(rename = "outage")]
    Outage,
    /// It cannot be taken back.
    #[serde(rename = "irreversible")]
    Irreversible,
    /// The bill rises, or may.
    #[serde(rename = "cost")]
    Cost,
}

impl Impact {
    /// All of them, the ones that are told first before the others.
    pub const ALL: [Self; 5] = [Self::None, Self::BriefOutage, Self::Outage, Self::Irreversible, Self::Cost];
}

impl fmt::Display for Impact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// When a step is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// As soon as it can be.
    Now,
    /// When maintenance may be done. The window is told and not its next date: what is told must not change by itself.
    Window(Option<WeeklyWindow>),
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now => f.write_str("now"),
            Self::Window(Some(window)) => write!(f, "in the maintenance window {window} UTC"),
            Self::Window(None) => f.write_str("in the maintenance window"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_the_same_wherever_it_is_told() {
        for impact in Impact::ALL {
            assert_eq!(serde_json::to_value(impact).unwrap(), impact.to_string());
        }
        let window = WeeklyWindow::parse("sun:04:00-sun:05:00").unwrap();
        assert_eq!(When::Window(Some(window)).to_string(), "in the maintenance window sun:04:00-sun:05:00 UTC");
    }
}
