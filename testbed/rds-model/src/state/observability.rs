//! Enhanced Monitoring and Performance Insights: settings that are kept and shown, with nothing behind them here.

use serde::{Deserialize, Serialize};

/// Enhanced Monitoring.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Monitoring {
    /// Seconds between two points; 0 is off.
    pub interval: u32,
    /// The role that writes to CloudWatch Logs: there with any interval but 0.
    pub role: Option<String>,
}

/// Performance Insights and the mode of Database Insights.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Insights {
    /// None while Performance Insights is off.
    pub enabled: Option<Retained>,
    /// `advanced` instead of `standard`.
    pub advanced: bool,
}

/// How Performance Insights keeps its data.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Retained {
    /// Days.
    pub days: u32,
    /// The ARN of the key that encrypts them.
    pub kms_key: String,
}
