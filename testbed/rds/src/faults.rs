//! Faults on order: calls that fail, states that an instance is shown in, instances that vanish.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::wire::ApiError;

/// The calls that are to fail.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<CallFault>>);

/// An order to `/_local/faults`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Order {
    /// The next calls of an action fail.
    Call(CallFault),
    /// An instance is shown in a status; null ends it.
    Status(StatusFault),
    /// An instance is gone, data and all.
    Remove(Removal),
}

/// Calls of `action` fail, `times` times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallFault {
    pub(crate) action: String,
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default = "bad_request")]
    pub(crate) status: u16,
    #[serde(default = "once")]
    pub(crate) times: u32,
}

/// `status` is shown verbatim for `instance`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatusFault {
    pub(crate) instance: String,
    pub(crate) status: Option<String>,
}

/// `remove_instance` vanishes as if it had been deleted by somebody else.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Removal {
    pub(crate) remove_instance: String,
}

fn bad_request() -> u16 {
    400
}

fn once() -> u32 {
    1
}

impl Faults {
    /// The failure that was ordered for this call, if any.
    pub(crate) async fn strike(&self, action: &str) -> Option<ApiError> {
        let mut faults = self.0.lock().await;
        let fault = faults.iter_mut().find(|fault| fault.action == action)?;
        fault.times = fault.times.saturating_sub(1);
        let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::BAD_REQUEST);
        let error = ApiError::new(status, &fault.code, &fault.message);
        faults.retain(|fault| fault.times > 0);
        Some(error)
    }

    pub(crate) async fn order(&self, fault: CallFault) {
        if fault.times > 0 {
            self.0.lock().await.push(fault);
        }
    }

    pub(crate) async fn list(&self) -> Vec<CallFault> {
        self.0.lock().await.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn strikes_as_often_as_ordered() {
        let faults = Faults::default();
        let order = r#"{"action":"CreateDBInstance","code":"Throttling","message":"Rate exceeded","times":2}"#;
        let Ok(Order::Call(fault)) = serde_json::from_str(order) else {
            panic!("not a call fault");
        };
        faults.order(fault).await;
        assert!(faults.strike("DescribeDBInstances").await.is_none());
        let codes = [
            faults.strike("CreateDBInstance").await,
            faults.strike("CreateDBInstance").await,
            faults.strike("CreateDBInstance").await,
        ]
        .map(|error| error.map(|error| error.code));
        assert_eq!(codes, [Some("Throttling".to_owned()), Some("Throttling".to_owned()), None]);
    }

    #[test]
    fn orders_are_told_apart() {
        let order = |text| serde_json::from_str::<Order>(text);
        assert!(matches!(
            order(r#"{"instance":"a","status":null}"#),
            Ok(Order::Status(StatusFault { status: None, .. }))
        ));
        assert!(matches!(order(r#"{"remove_instance":"a"}"#), Ok(Order::Remove(_))));
        assert!(order(r#"{"unknown":1}"#).is_err());
    }
}
