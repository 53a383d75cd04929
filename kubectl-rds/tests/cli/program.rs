//! Running the binary.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A day on which PostgreSQL 12 and 13 are in Extended Support.
pub(crate) const TODAY: &str = "2026-03-01";

/// The folder with the manifests whose findings are recorded.
pub(crate) fn golden_folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"))
}

/// What one run gave.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

/// Runs the binary in a folder.
pub(crate) fn run(folder: &Path, args: &[&str]) -> Ran {
    run_with(folder, args, b"", &[])
}

/// Runs the binary in a folder, with standard input and further variables.
pub(crate) fn run_with(folder: &Path, args: &[&str], input: &[u8], variables: &[(&str, &str)]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kubectl-rds"))
        .args(args)
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It may end without reading.
    let _ = stdin.write_all(input);
    drop(stdin);
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    Ran {
        code: status.code().unwrap(),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}

/// Checks a text from standard input, with `--today` and the output as JSON.
pub(crate) fn check(text: &str, args: &[&str]) -> Ran {
    let all: Vec<&str> = ["check", "-f", "-", "-o", "json", "--today", TODAY].iter().chain(args).copied().collect();
    run_with(golden_folder(), &all, text.as_bytes(), &[])
}
