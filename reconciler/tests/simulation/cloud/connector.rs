//! From a class's words to a cloud of the simulation.

use std::sync::Arc;

use async_trait::async_trait;
use reconciler::lease::Fence;
use reconciler::providers::aws::errors::timed_out;
use reconciler::providers::{Cloud as _, ConnectError, Connected, Connector, Identity, ProviderConfig};

use super::port::{SimulatedCloud, Way};

/// One process's ways into the clouds there are. The first is that of the environment.
pub(crate) struct CloudConnector {
    clouds: Vec<Arc<SimulatedCloud>>,
    fence: Fence,
}

impl CloudConnector {
    /// Its clients change nothing beyond `fence`.
    pub(crate) fn new(clouds: Vec<Arc<SimulatedCloud>>, fence: Fence) -> Self {
        Self { clouds, fence }
    }
}

#[async_trait]
impl Connector for CloudConnector {
    async fn connect(&self, provider: &ProviderConfig) -> Result<Connected, ConnectError> {
        // No address of the API leads elsewhere.
        let ProviderConfig { region, acts_as, endpoint: _ } = provider;
        let default = self.clouds.first().ok_or_else(|| ConnectError::Failed("no region".to_owned()))?;
        let region = region.as_ref().unwrap_or(&default.region);
        // arn:aws:iam::<account>:role/<name>
        let account = acts_as.as_ref().map_or(Some(default.account.as_str()), |arn| arn.split(':').nth(4));
        let found = self.clouds.iter().find(|cloud| cloud.region == *region && Some(cloud.account.as_str()) == account);
        let cloud = found.ok_or_else(|| ConnectError::Failed(timed_out("GetCallerIdentity").to_string()))?;
        let identity = Identity {
            account: cloud.account.clone(),
            principal: format!("arn:aws:sts::{}:assumed-role/operator/rds-reconciler", cloud.account),
        };
        let way = Way { cloud: cloud.clone(), identity, fence: self.fence.clone() };
        let identity = way.identity().await.map_err(|error| ConnectError::Failed(error.to_string()))?;
        Ok(Connected { region: cloud.region.clone(), cloud: Arc::new(way), identity })
    }
}
