//! The binary: killed without warning, stopped, left by its parent; and what a new start makes of it.

// clippy.toml allows these in test functions; a test's own functions are no less tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::{PASSWORD, client, create, eventually, login, sql, status_is};
use tokio::process::{Child, Command};

struct Running {
    child: Child,
    endpoint: String,
}

impl Running {
    async fn start(folder: &Path) -> Self {
        let child = command(folder).spawn().unwrap();
        let endpoint = ready(folder, child.id().unwrap()).await;
        Self { child, endpoint }
    }

    async fn signal(mut self, signal: Signal) {
        let id = self.child.id().unwrap();
        kill(pid(id), signal).unwrap();
        self.child.wait().await.unwrap();
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local-rds"));
    command.args(["--time-scale", "0.002", "--data-dir"]).arg(folder).stdout(Stdio::null()).kill_on_drop(true);
    command
}

fn pid(id: u32) -> Pid {
    Pid::from_raw(id.try_into().unwrap())
}

/// The endpoint in the `ready.json` of this process.
async fn ready(folder: &Path, id: u32) -> String {
    let file = folder.join("ready.json");
    eventually("ready.json", async || {
        let content = std::fs::read(&file).map_err(|error| error.to_string())?;
        let ready: serde_json::Value = serde_json::from_slice(&content).unwrap();
        if ready["pid"] == id { Ok(ready["endpoint"].as_str().unwrap().to_owned()) } else { Err(ready.to_string()) }
    })
    .await
}

/// How many PostgreSQL processes work below a folder.
fn servers(folder: &Path) -> usize {
    processes(folder).len()
}

/// The PostgreSQL processes that work below a folder.
fn processes(folder: &Path) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let works = |process: &std::fs::DirEntry| {
        let cwd = std::fs::read_link(process.path().join("cwd"));
        cwd.is_ok_and(|cwd| cwd.starts_with(folder) && (cwd.ends_with("data") || cwd.ends_with("data.new")))
    };
    let found = processes.filter(works);
    found.filter_map(|process| process.file_name().to_string_lossy().parse().ok()).collect()
}

/// Kills the PostgreSQL server of the only instance, as the kernel does when memory is short.
fn kill_postmaster(folder: &Path) {
    let instance = folder.join("instances").read_dir().unwrap().next().unwrap().unwrap();
    let lock = std::fs::read_to_string(instance.path().join("data/postmaster.pid")).unwrap();
    let id: u32 = lock.lines().next().unwrap().parse().unwrap();
    kill(pid(id), Signal::SIGKILL).unwrap();
}

async fn no_servers(folder: &Path) {
    eventually("without PostgreSQL", async || match servers(folder) {
        0 => Ok(()),
        left => Err(left),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_leaves_no_process_and_continues() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let first = Running::start(folder).await;
    let rds = client(&first.endpoint, "eu-central-1");
    create(&rds, "orders", "14").send().await.unwrap();
    let before = status_is(&rds, "orders", "available").await;
    let ca = std::fs::read(folder.join("ca.pem")).unwrap();
    let ca_file = folder.join("ca.pem");
    let mut session = login(&before, &ca_file, "sysadmin", PASSWORD, "postgres").await.unwrap();
    sql(&mut session, "CREATE TABLE kept (); ").await.unwrap();
    kill_postmaster(folder);
    // Its last answers may still come.
    while sql(&mut session, "SELECT FROM kept").await.is_ok() {}
    eventually("started again", async || {
        let session = login(&before, &ca_file, "sysadmin", PASSWORD, "postgres").await;
        session.map(drop).map_err(|error| error.to_string())
    })
    .await;

    // In the middle of a creation as well.
    create(&rds, "second", "14").send().await.unwrap();
    assert!(servers(folder) > 0);
    first.signal(Signal::SIGKILL).await;
    no_servers(folder).await;

    let again = Running::start(folder).await;
    let rds = client(&again.endpoint, "eu-central-1");
    let after = status_is(&rds, "orders", "available").await;
    assert_eq!(after.endpoint(), before.endpoint());
    assert_eq!(after.dbi_resource_id(), before.dbi_resource_id());
    assert_eq!(std::fs::read(&ca_file).unwrap(), ca);
    eventually("the table", async || {
        let session = login(&after, &ca_file, "sysadmin", PASSWORD, "postgres").await;
        let mut session = session.map_err(|error| error.to_string())?;
        sql(&mut session, "SELECT FROM kept").await
    })
    .await;
    let second = status_is(&rds, "second", "available").await;
    login(&second, &ca_file, "sysadmin", PASSWORD, "postgres").await.unwrap();

    // A deletion that is interrupted is finished too, with its snapshot.
    rds.delete_db_instance()
        .db_instance_identifier("orders")
        .final_db_snapshot_identifier("last")
        .send()
        .await
        .unwrap();
    again.signal(Signal::SIGKILL).await;
    let third = Running::start(folder).await;
    let rds = client(&third.endpoint, "eu-central-1");
    eventually("deleted with its snapshot", async || {
        let gone = support::instance(&rds, "orders").await.is_err();
        let snapshots = rds.describe_db_snapshots().db_snapshot_identifier("last");
        let status = snapshots.send().await.unwrap().db_snapshots()[0].status.clone();
        if gone && status.as_deref() == Some("available") { Ok(()) } else { Err((gone, status)) }
    })
    .await;
    assert!(folder.join("snapshots/last/PG_VERSION").exists());
    third.signal(Signal::SIGTERM).await;
    assert_eq!(servers(folder), 0);
    assert!(!folder.join("ready.json").exists());
}

/// As a host of RDS may go under an instance that is being made: it is made again, elsewhere on RDS.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_whose_server_is_killed_while_it_is_made_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Running::start(folder).await;
    let rds = client(&server.endpoint, "eu-central-1");
    create(&rds, "orders", "17").send().await.unwrap();
    for _ in 0..2 {
        let killed = eventually("a server to kill", async || {
            let id = processes(folder).into_iter().next().ok_or("none")?;
            kill(pid(id), Signal::SIGKILL).map(|()| id).map_err(|_| "gone")
        })
        .await;
        eventually("killed", async || if processes(folder).contains(&killed) { Err(killed) } else { Ok(()) }).await;
    }
    let orders = status_is(&rds, "orders", "available").await;
    login(&orders, &folder.join("ca.pem"), "sysadmin", PASSWORD, "postgres").await.unwrap();
    server.signal(Signal::SIGTERM).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_with_its_parent_when_told_to() {
    let folder = tempfile::tempdir().unwrap();
    // The shell is the parent; it waits, so that it does not become the server itself.
    let mut shell = Command::new("sh")
        .args(["-c", "\"$0\" --exit-with-parent --data-dir \"$1\" >/dev/null & wait"])
        .arg(env!("CARGO_BIN_EXE_local-rds"))
        .arg(folder.path())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let file = folder.path().join("ready.json");
    let id: u32 = eventually("ready.json", async || {
        let content = std::fs::read(&file).map_err(|error| error.to_string())?;
        let ready: serde_json::Value = serde_json::from_slice(&content).unwrap();
        Ok::<_, String>(ready["pid"].as_u64().unwrap().try_into().unwrap())
    })
    .await;
    shell.kill().await.unwrap();
    eventually("ended", async || {
        let state = std::fs::read_to_string(format!("/proc/{id}/stat"));
        match state {
            Ok(running) if !running.contains(") Z ") => Err(running),
            _ => Ok(()),
        }
    })
    .await;
    assert!(!file.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_server_at_a_time_works_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = Running::start(folder.path()).await;
    let second = command(folder.path()).output().await.unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("in use by another local-rds"), "{said}");
    let address = first.endpoint.trim_start_matches("http://");
    tokio::net::TcpStream::connect(address).await.unwrap();
    first.signal(Signal::SIGINT).await;
}

/// Killed while everything is copied, a server begins anew; the data are the old ones or the new ones, never a part.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_goes_on_with_an_upgrade() {
    if !support::can_upgrade("a killed server goes on with an upgrade").await {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let first = Running::start(folder).await;
    let rds = client(&first.endpoint, "eu-central-1");
    create(&rds, "orders", "16").send().await.unwrap();
    let before = status_is(&rds, "orders", "available").await;
    let ca = folder.join("ca.pem");
    let mut session = login(&before, &ca, "sysadmin", PASSWORD, "postgres").await.unwrap();
    sql(&mut session, "CREATE TABLE kept ()").await.unwrap();
    let upgrade = rds.modify_db_instance().db_instance_identifier("orders").engine_version("17.11");
    upgrade.allow_major_version_upgrade(true).apply_immediately(true).send().await.unwrap();
    let copying = folder.join("instances").join(before.dbi_resource_id().unwrap()).join("data.new/postmaster.pid");
    eventually("two servers", async || if copying.exists() { Ok(()) } else { Err("not yet") }).await;
    first.signal(Signal::SIGKILL).await;
    no_servers(folder).await;

    let again = Running::start(folder).await;
    let rds = client(&again.endpoint, "eu-central-1");
    let after = eventually("upgraded", async || {
        let orders = status_is(&rds, "orders", "available").await;
        if orders.engine_version() == Some("17.11") { Ok(orders) } else { Err(orders.engine_version) }
    })
    .await;
    assert_eq!((after.endpoint(), after.dbi_resource_id()), (before.endpoint(), before.dbi_resource_id()));
    let mut session = login(&after, &ca, "sysadmin", PASSWORD, "postgres").await.unwrap();
    sql(&mut session, "SELECT FROM kept").await.unwrap();
    again.signal(Signal::SIGTERM).await;
}
