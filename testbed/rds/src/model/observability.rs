//! Enhanced Monitoring and Performance Insights: settings that are kept and shown, with nothing behind them here.

use serde::{Deserialize, Serialize};

/// Enhanced Monitoring.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Monitoring {
    /// Seconds between two points; 0 is off.
    pub(crate) interval: u32,
    /// The role that writes to CloudWatch Logs: there with any interval but 0.
    pub(crate) role: Option<String>,
}

/// Performance Insights and the mode of Database Insights.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Insights {
    /// None while Performance Insights is off.
    pub(crate) enabled: Option<Retained>,
    /// `advanced` instead of `standard`.
    pub(crate) advanced: bool,
}

/// How Performance Insights keeps its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Retained {
    /// Days.
    pub(crate) days: u32,
    pub(crate) kms_key: String,
}
