//! The same statements from a file, sent by `psql`: what somebody with a script and the password would do.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use reconciler::engine::Login;
use reconciler::engine::postgres::{SqlStep, Work, script, verifier};
use tokio::process::Command;

/// The program, on this machine.
pub(super) struct Psql {
    /// What it says it is.
    pub(super) version: String,
    ca: PathBuf,
    folder: PathBuf,
}

impl Psql {
    /// Looks for it; `None` where there is none. Scripts are written into `folder`.
    pub(super) async fn find(ca: PathBuf, folder: &Path) -> Option<Self> {
        let output = Command::new("psql").arg("--version").output().await.ok()?;
        let version = output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())?;
        Some(Self { version, ca, folder: folder.to_owned() })
    }

    /// Carries out steps in one call of the program; from its start to its end.
    pub(super) async fn run(&self, master: &Login, steps: &[SqlStep]) -> Result<Duration> {
        let file = self.folder.join("steps.sql");
        std::fs::write(&file, statements(steps, &master.database)?)?;
        let Login { host, port, user, database, .. } = master;
        let server = format!("host={host} port={port} user={user} dbname={database} sslmode=verify-full");
        let mut command = Command::new("psql");
        command
            .args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file"])
            .arg(&file)
            .arg(&server)
            .env("PGPASSWORD", master.password.expose())
            .env("PGSSLROOTCERT", &self.ca)
            .env("PGOPTIONS", "-c client_min_messages=error")
            .stdin(Stdio::null());
        let began = Instant::now();
        let output = command.output().await.context("running psql")?;
        let took = began.elapsed();
        ensure!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(took)
    }
}

/// The statements of steps as psql reads them, with a new connection where the database changes.
fn statements(steps: &[SqlStep], maintenance: &str) -> Result<String> {
    let mut text = String::new();
    let mut connected = maintenance.to_owned();
    for batch in steps.iter().flat_map(|step| script(step, verifier)) {
        let database = batch.database.as_deref().unwrap_or(maintenance);
        if database != connected {
            writeln!(text, "\\connect {database}")?;
            database.clone_into(&mut connected);
        }
        let (Work::Sql(statements) | Work::Insist(statements)) = &batch.work else {
            bail!("not a statement: {:?}", batch.work);
        };
        writeln!(text, "{statements};")?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use reconciler::engine::postgres::owner_role;

    use super::*;

    #[test]
    fn each_change_of_the_database_is_a_new_connection() {
        let database = "shop".to_owned();
        let owner = owner_role(&database);
        let close = SqlStep::CloseDatabase { database: "template1".to_owned() };
        let steps = [close.clone(), SqlStep::LayOut { database, owner }, close.clone(), close];
        let text = statements(&steps, "postgres").unwrap();
        let lines: Vec<_> = text.lines().filter(|line| line.starts_with(['\\', 'R'])).collect();
        let revoke = "REVOKE ALL ON DATABASE \"template1\" FROM PUBLIC;";
        assert_eq!(lines, [revoke, "\\connect shop", "\\connect postgres", revoke, revoke]);
    }
}
