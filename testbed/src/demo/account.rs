//! The AWS account that a person's environment leads to, asked before anything is touched.

use std::{error::Error, fmt, time::Duration};

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::service_config::ServiceConfigKey;

/// The longest that the question may take: somebody waits at a prompt.
const LIMIT: Duration = Duration::from_secs(10);

/// What the AWS chain found, in words for a person.
pub(super) struct Account {
    region: String,
    identity: String,
    endpoint: String,
}

impl Account {
    /// Asks STS who the credentials are. What cannot be told is said, and stops nobody.
    pub(super) async fn ask() -> Self {
        let timeouts = TimeoutConfig::builder().operation_timeout(LIMIT).build();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .load()
            .await;
        let region = config.region().map_or_else(|| "none is set: say AWS_REGION".to_owned(), ToString::to_string);
        let identity = match aws_sdk_sts::Client::new(&config).get_caller_identity().send().await {
            Ok(answer) => {
                format!("{} as {}", answer.account().unwrap_or("unknown"), answer.arn().unwrap_or("unknown"))
            }
            Err(error) => format!("cannot be told: {}", root_cause(&error)),
        };
        let endpoint = endpoint(&config).unwrap_or_else(|| "AWS's own".to_owned());
        Self { region, identity, endpoint }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { region, identity, endpoint } = self;
        writeln!(f, "  AWS account  {identity}")?;
        writeln!(f, "  Region       {region}")?;
        write!(f, "  Endpoint     {endpoint}")
    }
}

/// Where calls to RDS go if not to AWS: by AWS_ENDPOINT_URL_RDS, by AWS_ENDPOINT_URL, or by the profile, as the SDK reads them.
fn endpoint(config: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id("RDS").env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let of_rds = config.service_config().zip(key.ok()).and_then(|(settings, key)| settings.load_config(key));
    of_rds.or_else(|| config.endpoint_url().map(str::to_owned))
}

fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
