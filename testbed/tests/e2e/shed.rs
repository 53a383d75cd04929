//! A webhook that has too much to do: /mutate fails open, and what was admitted without defaults is judged all the same.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use testbed::{eventually::eventually, service_proxy::ServiceProxy, stack::WEBHOOK};

use crate::{
    admission::Admission,
    direct::Direct,
    replica::page_of,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![trial(world, "shed::what_mutate_sheds_validate_judges", what_mutate_sheds_validate_judges)]
}

/// All that the busy replica may have in flight, in bytes.
const LIMIT: usize = 64 * 1024;

/// The port of the Service at which the busy replica alone is.
const BUSY: u16 = 8444;

async fn what_mutate_sheds_validate_judges(world: &World) -> Result<()> {
    let mut admission = world.admission().await?;
    let limit = LIMIT.to_string();
    let small = admission.pod().clone().add_flag("--in-flight-limit", &limit)?.add_flag("--body-limit", &limit)?;
    admission.add_as(&small).await?;
    admission.ready().await?;
    let outcome = shed(&mut admission).await;
    // The others find the registrations as they were.
    register_mutate(&admission, admission.service().port()).await?;
    outcome
}

async fn shed(admission: &mut Admission) -> Result<()> {
    let small = admission.replicas.pop().context("it was started")?;
    let address = SocketAddr::from((*admission.service().ip(), BUSY));
    let proxy = ServiceProxy::listen(address, Duration::ZERO).await?;
    proxy.watch(small.readiness(), admission.service().port());
    let port = format!(r#"[{{"op": "add", "path": "/spec/ports/-", "value": {{"name": "busy", "port": {BUSY}}}}}]"#);
    admission.kubectl().ok(&["patch", "service", "-n", "rds-system", WEBHOOK, "--type=json", "-p", &port]).await?;
    register_mutate(admission, BUSY).await?;
    eventually("the API server to ask the small replica", async || {
        ensure!(create(admission, "{}").await? == (true, "12".to_owned()), "no defaults");
        let (_, metrics) = page_of(small.readiness().admin(), "metrics").await?;
        ensure!(metrics.contains(r#"path="mutate""#), "it has not seen a review: {metrics}");
        Ok(())
    })
    .await?;

    // A body of the largest size fills it as it comes; its last byte never does.
    let head = format!("POST /mutate HTTP/1.1\r\nHost: webhook\r\nContent-Length: {LIMIT}\r\n\r\n");
    let endless = format!("{head}{:1$}", "", LIMIT - 1);
    let mut held = Direct::send(admission, address, endless).await?;
    ensure!(held.unanswered(), "it answered before it had the body");
    eventually("a review that is turned away", async || {
        let (admitted, version) = create(admission, "{users: {app: []}, databases: {orders: [app]}}").await?;
        ensure!(admitted && version.is_empty(), "not admitted as it was written: {version}");
        let (_, metrics) = page_of(small.readiness().admin(), "metrics").await?;
        ensure!(metrics.contains(r#"code="429""#), "it has turned nobody away: {metrics}");
        Ok(())
    })
    .await?;
    let wrong = "{size: 65537Gi, users: {app: [login, nologin]}}";
    let (admitted, message) = create(admission, wrong).await?;
    ensure!(!admitted, "admitted: {wrong}");
    for field in ["spec.size: ", "spec.users[app][1]: "] {
        ensure!(message.contains(field), "{field} is not in {message}");
    }

    // It has been full all the time, and lives.
    ensure!(held.unanswered(), "the request that was to fill it has ended");
    drop(held);
    eventually("defaults again", async || {
        ensure!(create(admission, "{}").await? == (true, "12".to_owned()), "still none");
        Ok(())
    })
    .await?;
    small.stop().await?;
    Ok(())
}

/// Whether a dry run of this spec is admitted, and its version after admission; or the message.
async fn create(admission: &Admission, spec: &str) -> Result<(bool, String)> {
    let object = format!(
        "apiVersion: matrixmind.cloud/v1\nkind: RDSDatabase\nmetadata: {{name: tried, namespace: load}}\nspec: {spec}\n"
    );
    let args = ["create", "--dry-run=server", "-o", "jsonpath={.spec.version}", "-f", "-"];
    let answer = admission.kubectl().run_with_input(&args, &object).await?;
    Ok((answer.success, if answer.success { answer.stdout } else { answer.stderr }))
}

async fn register_mutate(admission: &Admission, port: u16) -> Result<()> {
    let patch = format!(r#"[{{"op": "replace", "path": "/webhooks/0/clientConfig/service/port", "value": {port}}}]"#);
    admission.kubectl().ok(&["patch", "mutatingwebhookconfiguration", WEBHOOK, "--type=json", "-p", &patch]).await?;
    Ok(())
}
