//! Faults on order: calls that fail or come late, and what an instance is to suffer.

use std::time::Duration;

use axum::http::StatusCode;
use rds_model::order::InstanceFault;
use rds_model::{ApiError, Params};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

/// The calls that are to fail.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<CallFault>>);

/// An order to `/_local/faults`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Order {
    /// The next calls of an action fail, or come late.
    Call(CallFault),
    /// Others of the account have used up their share of the calls, or nobody has.
    Allowance(Allowance),
    /// An instance is gone, data and all.
    Remove(Removal),
    /// Snapshots are older than they are.
    Age(Age),
    /// Others of the account have made snapshots.
    Others(Others),
    /// Another instance has the name of this one from now on.
    SwitchOver(SwitchOver),
    /// An instance suffers something.
    Instance(InstanceFault),
}

/// Calls of `action`, of `instance` alone where it is named, go wrong `times` times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallFault {
    pub(crate) action: String,
    #[serde(default)]
    pub(crate) instance: Option<String>,
    /// What the caller is told. Without it the caller gets the true answer, for which the call must be late.
    #[serde(default)]
    pub(crate) code: Option<String>,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default = "bad_request")]
    pub(crate) status: u16,
    #[serde(default = "once")]
    pub(crate) times: u32,
    /// What was asked for is done, and only the answer is lost.
    #[serde(default)]
    pub(crate) carried_out: bool,
    /// What was asked for is done so many milliseconds later, after other calls perhaps, and whether or not the caller still waits.
    #[serde(default)]
    pub(crate) late_ms: u64,
}

/// `remove_instance` vanishes as if it had been deleted by somebody else.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Removal {
    pub(crate) remove_instance: String,
}

/// The bucket of the account holds so many `tokens` at this moment; with `null`, calls are admitted at any rate from now on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Allowance {
    #[serde(deserialize_with = "Option::deserialize")]
    pub(crate) tokens: Option<u16>,
}

/// So many `hours` pass over the manual snapshots of the instance `age_snapshots`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Age {
    pub(crate) age_snapshots: String,
    pub(crate) hours: u32,
}

/// Others of the account have so many manual snapshots: they are counted where the account's quotas are told, and shown nowhere.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Others {
    pub(crate) snapshots_of_others: u32,
}

/// Somebody switches a blue/green deployment of `switch_over` over.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SwitchOver {
    pub(crate) switch_over: String,
}

fn bad_request() -> u16 {
    400
}

fn once() -> u32 {
    1
}

impl Faults {
    /// The failure that was ordered for this call, if any.
    pub(crate) async fn strike(&self, action: &str, params: &Params) -> Option<CallFault> {
        let mut faults = self.0.lock().await;
        let meant = |fault: &&mut CallFault| {
            fault.action == action && fault.instance.as_deref().is_none_or(|instance| names(params, instance))
        };
        let fault = faults.iter_mut().find(meant)?;
        fault.times = fault.times.saturating_sub(1);
        let struck = fault.clone();
        faults.retain(|fault| fault.times > 0);
        Some(struck)
    }

    /// Takes an order, unless it orders nothing.
    pub(crate) async fn order(&self, fault: CallFault) -> Result<(), ApiError> {
        if fault.code.is_none() && fault.late_ms == 0 {
            return Err(ApiError::invalid_value("a call fault has a code, or is late"));
        }
        if fault.times > 0 {
            self.0.lock().await.push(fault);
        }
        Ok(())
    }

    pub(crate) async fn list(&self) -> Vec<CallFault> {
        self.0.lock().await.clone()
    }
}

/// Whether a request is about this instance: by its identifier, its ARN or, in a listing, a filter.
fn names(params: &Params, instance: &str) -> bool {
    let is = |value: &str| value.eq_ignore_ascii_case(instance) || value.ends_with(&format!(":db:{instance}"));
    ["DBInstanceIdentifier", "TargetDBInstanceIdentifier", "SourceDBInstanceIdentifier", "ResourceName"]
        .iter()
        .filter_map(|name| params.text(name))
        .any(is)
        || params.filters().is_ok_and(|filters| {
            filters.iter().any(|(name, values)| name == "db-instance-id" && values.iter().any(|value| is(value)))
        })
}

impl CallFault {
    /// What the caller is told instead of the truth.
    pub(crate) fn error(&self) -> Option<ApiError> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        self.code.as_ref().map(|code| ApiError::new(status.as_u16(), code, &self.message))
    }

    /// When the call is to be carried out, where that is later.
    pub(crate) fn late(&self) -> Option<Duration> {
        (self.late_ms > 0).then(|| Duration::from_millis(self.late_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn order(faults: &Faults, order: &str) {
        let Ok(Order::Call(fault)) = serde_json::from_str(order) else {
            panic!("not a call fault: {order}");
        };
        faults.order(fault).await.unwrap();
    }

    #[tokio::test]
    async fn strikes_as_often_as_ordered() {
        let faults = Faults::default();
        order(&faults, r#"{"action":"CreateDBInstance","code":"Throttling","message":"Rate exceeded","times":2}"#)
            .await;
        let strike = async |action: &str| {
            let struck = faults.strike(action, &Params::default()).await;
            struck.and_then(|fault| fault.error()).map(|error| error.code)
        };
        assert_eq!(strike("DescribeDBInstances").await, None);
        let codes =
            [strike("CreateDBInstance").await, strike("CreateDBInstance").await, strike("CreateDBInstance").await];
        assert_eq!(codes, [Some("Throttling".to_owned()), Some("Throttling".to_owned()), None]);
    }

    #[tokio::test]
    async fn strikes_the_instance_that_is_named_alone() {
        let faults = Faults::default();
        order(&faults, r#"{"action":"X","instance":"orders","code":"Throttling","times":9}"#).await;
        for (body, struck) in [
            ("DBInstanceIdentifier=Orders", true),
            ("ResourceName=arn:aws:rds:us-east-1:0:db:orders", true),
            ("Filters.Filter.1.Name=db-instance-id&Filters.Filter.1.Values.Value.1=orders", true),
            ("DBInstanceIdentifier=orders-2", false),
            ("ResourceName=arn:aws:rds:us-east-1:0:db:my-orders", false),
            ("", false),
        ] {
            assert_eq!(faults.strike("X", &Params::parse(body)).await.is_some(), struck, "{body}");
        }
    }

    #[tokio::test]
    async fn a_call_fault_without_effect_is_no_order() {
        let fault: CallFault = serde_json::from_str(r#"{"action":"X"}"#).unwrap();
        assert!(Faults::default().order(fault).await.is_err());
    }

    #[test]
    fn orders_are_told_apart() {
        let order = |text| serde_json::from_str::<Order>(text);
        assert!(matches!(order(r#"{"instance":"a","status":null}"#), Ok(Order::Instance(_))));
        assert!(matches!(order(r#"{"remove_instance":"a"}"#), Ok(Order::Remove(_))));
        assert!(matches!(order(r#"{"switch_over":"a"}"#), Ok(Order::SwitchOver(_))));
        assert!(matches!(order(r#"{"tokens":0}"#), Ok(Order::Allowance(Allowance { tokens: Some(0) }))));
        assert!(matches!(order(r#"{"tokens":null}"#), Ok(Order::Allowance(Allowance { tokens: None }))));
        assert!(order("{}").is_err());
        assert!(order(r#"{"unknown":1}"#).is_err() && order(r#"{"instance":"a","stats":"x"}"#).is_err());
    }
}
