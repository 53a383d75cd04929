//! The way into AWS: each thing that is missing is said once and clearly, and the reconciler goes on by itself when it is there.

use std::{
    fs,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use libtest_mimic::Trial;
use testbed::{
    eventually::{eventually, eventually_within},
    stack::{Part, REGION},
};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    replica::{PATIENCE, Replica, metric},
    scene::Scene,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "cloud_access::i7_what_is_missing_is_said_and_mends_itself", said_and_mends_itself),
        trial(world, "cloud_access::i8_an_endpoint_that_does_not_answer_stops_nobody_else", a_silent_endpoint),
    ]
}

/// One process from nothing at all to a Ready object: only its surroundings change.
async fn said_and_mends_itself(world: &World) -> Result<()> {
    let stack = world.own_stack("cloud-access").await?;
    let scene = Scene::new(&stack, "waiting").await?;
    stack.stop_part(Part::Reconciler).await?;
    stack.stop_part(Part::LocalRds).await?;
    let config = stack.dir().join("aws-config");
    let credentials = stack.dir().join("aws-credentials");
    let replica = Replica::start(&stack, "poor-reconciler", |spec| {
        spec.without_env("AWS_REGION")
            .without_env("AWS_ACCESS_KEY_ID")
            .without_env("AWS_SECRET_ACCESS_KEY")
            .env("AWS_CONFIG_FILE", &config)
            .env("AWS_SHARED_CREDENTIALS_FILE", &credentials)
    })
    .await?;
    scene.apply("orders", "{}").await?;

    says(&scene, &replica, "no AWS region").await?;
    fs::write(&config, format!("[default]\nregion = {REGION}\n"))?;
    says(&scene, &replica, "no AWS credentials").await?;
    fs::write(&credentials, "[default]\naws_access_key_id = local\naws_secret_access_key = hush-hush\n")?;
    says(&scene, &replica, "see that the endpoint can be reached").await?;

    stack.restart(Part::LocalRds).await?;
    eventually("the reconciler to be ready", async || {
        let (status, text) = replica.get("readyz").await?;
        ensure!(status == 200, "{status} {text}");
        Ok(())
    })
    .await?;
    scene.ready("orders").await?;

    // One line for each thing that was missing, and none of them holds a secret.
    let log = replica.log()?;
    let errors: Vec<&str> = log
        .iter()
        .filter(|line| {
            line["level"] == "ERROR" || line["message"].as_str().is_some_and(|text| text.contains("no access"))
        })
        .filter_map(|line| line["why"].as_str())
        .collect();
    let [region, credentials, endpoint] = errors.as_slice() else { bail!("wanted three lines: {errors:#?}") };
    let clear = region.contains("AWS_REGION") && credentials.contains("IRSA") && endpoint.contains("GetCallerIdentity");
    ensure!(clear, "{errors:#?}");
    ensure!(!log.iter().any(|line| line.to_string().contains("hush-hush")), "a secret key was logged");
    scene.delete("orders").await
}

/// Waits until readiness and the object's status both say this.
async fn says(scene: &Scene<'_>, replica: &Replica, wanted: &str) -> Result<()> {
    eventually(&format!("/readyz to say {wanted:?}"), async || {
        let (status, text) = replica.get("readyz").await?;
        ensure!(status == 503 && text.contains(wanted), "{status} {text}");
        Ok(())
    })
    .await?;
    // Alive all the while: a restart would not help.
    let (status, text) = replica.get("healthz").await?;
    ensure!(status == 200, "{status} {text}");
    eventually(&format!("the object to say {wanted:?}"), async || {
        let database = scene.database("orders").await?;
        let instance = database.expect("InstanceReady", "False")?;
        ensure!(instance.reason == "CloudUnavailable" && instance.message.contains(wanted), "{instance:?}");
        for (summary, status) in [("Ready", "False"), ("Reconciling", "True"), ("Stalled", "False")] {
            database.expect(summary, status)?;
        }
        Ok(())
    })
    .await
}

/// A class may lead to an endpoint that takes connections and never answers. Its own objects wait, however many they are, and no others.
async fn a_silent_endpoint(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "silent").await?;
    let usual = asked_for(&scene, "before", PATIENCE).await?;

    let endpoint = Silent::listen().await?;
    let class = format!(
        "apiVersion: matrixmind.cloud/v1\nkind: RDSDatabaseClass\nmetadata: {{name: silent}}\n\
         spec: {{endpoint: \"http://{}\", region: {REGION}}}\n",
        endpoint.address
    );
    scene.kubectl().apply(&class).await?;
    // More than there are passes at a time.
    let names: Vec<String> = (0..40).map(|n| format!("mute-{n}")).collect();
    let mute: Vec<String> = names.iter().map(|name| scene.manifest(name, "{className: silent}")).collect();
    scene.kubectl().apply(&mute.join("---\n")).await?;
    for name in &names {
        eventually(&format!("{name} to say that it waits"), async || {
            let instance = scene.database(name).await?.expect("InstanceReady", "False")?;
            ensure!(instance.reason == "CloudUnavailable", "{instance:?}");
            Ok(())
        })
        .await?;
    }
    // The next attempt is under way, and hangs.
    endpoint.attempted().await?;
    asked_for(&scene, "neighbour", usual * 2 + Duration::from_secs(10)).await?;
    scene.ready("neighbour").await?;
    let ready = metric(stack.reconciler_admin(), "rds_reconciler_cloud_ready").await?;
    ensure!(ready > 0.5, "one class takes the readiness of all away");
    Ok(())
}

/// Applies an object and waits until the cloud has been asked for its instance; gives how long that took.
async fn asked_for(scene: &Scene<'_>, name: &str, limit: Duration) -> Result<Duration> {
    let applied = Instant::now();
    scene.apply(name, "{}").await?;
    eventually_within(limit, &format!("the instance of {name} to be asked for"), async || {
        let database = scene.database(name).await?;
        ensure!(!database.text("/status/databaseStatus").is_empty(), "{:?}", database.conditions());
        Ok(())
    })
    .await?;
    Ok(applied.elapsed())
}

/// Takes connections and says nothing.
struct Silent {
    address: SocketAddr,
    attempts: watch::Receiver<usize>,
}

impl Silent {
    async fn listen() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (count, attempts) = watch::channel(0);
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((connection, _)) = listener.accept().await {
                held.push(connection);
                count.send_replace(held.len());
            }
        });
        Ok(Self { address, attempts })
    }

    /// Waits for one more connection.
    async fn attempted(&self) -> Result<()> {
        let mut attempts = self.attempts.clone();
        let before = *attempts.borrow();
        tokio::time::timeout(PATIENCE, attempts.wait_for(|count| *count > before)).await??;
        Ok(())
    }
}
