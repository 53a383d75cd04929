//! The folder of a demo: fresh at each start, one demo at a time, and a file of variables for the person's shell.

use std::{
    ffi::OsStr,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::stack::{REGION, Stack};

/// A folder that this process alone uses, until the value is dropped.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Takes the folder and empties it.
    ///
    /// # Errors
    /// When another demo uses it, or it cannot be emptied.
    pub(super) fn take(path: &Path) -> Result<Self> {
        let what = || format!("preparing {}", path.display());
        fs::create_dir_all(path).with_context(what)?;
        let path = path.canonicalize().with_context(what)?;
        let lock = File::create(path.join("lock")).with_context(what)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another ./local.sh is running in {}", path.display())
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(what),
        }
        for entry in fs::read_dir(&path).with_context(what)? {
            let entry = entry.with_context(what)?;
            if entry.file_name() == "lock" {
                continue;
            }
            let removed = if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())
            } else {
                fs::remove_file(entry.path())
            };
            removed.with_context(what)?;
        }
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.path.join("kubeconfig")
    }

    /// The file to source.
    pub(super) fn env(&self) -> PathBuf {
        self.path.join("env")
    }

    /// Writes `env`: what a shell needs to talk to the stack, and to find `kubectl` where its `PATH` has none.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write_env(&self, stack: &Stack, kubectl: &Path) -> Result<()> {
        let variables = [
            ("KUBECONFIG", self.kubeconfig().display().to_string()),
            ("AWS_ENDPOINT_URL", stack.rds().endpoint()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", "local".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            ("RDS_CA", stack.rds().ca().display().to_string()),
            ("WEBHOOK_URL", stack.webhook_url().to_owned()),
            ("WEBHOOK_CA", stack.webhook_ca().display().to_string()),
            ("WEBHOOK_METRICS_URL", format!("{}/metrics", stack.webhook_admin())),
            ("RECONCILER_METRICS_URL", format!("{}/metrics", stack.reconciler_admin())),
        ];
        self.write_variables(&variables, kubectl)
    }

    /// The same for the operator in Pods: only the API server is reached from outside.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write_node_env(&self, kubectl: &Path) -> Result<()> {
        self.write_variables(&[("KUBECONFIG", self.kubeconfig().display().to_string())], kubectl)
    }

    fn write_variables(&self, variables: &[(&str, String)], kubectl: &Path) -> Result<()> {
        let mut text: String = variables.iter().map(|(name, value)| export(name, value)).collect();
        let search = std::env::var_os("PATH").unwrap_or_default();
        text.extend(extend_path(kubectl, &search));
        let path = self.env();
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
    }
}

fn export(name: &str, value: &str) -> String {
    format!("export {name}={}\n", quote(value))
}

/// A line that makes the shell find this `kubectl`, unless `path` has one: people keep their own.
fn extend_path(kubectl: &Path, path: &OsStr) -> Option<String> {
    if std::env::split_paths(path).any(|folder| folder.join("kubectl").is_file()) {
        return None;
    }
    Some(format!("export PATH={}:\"$PATH\"\n", quote(&kubectl.parent()?.display().to_string())))
}

/// One word of a shell's command line.
pub(super) fn quote(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_emptied_and_used_once() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join(".local");
        fs::create_dir_all(path.join("old")).unwrap();
        fs::write(path.join("env"), "old").unwrap();
        let folder = Folder::take(&path).unwrap();
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["lock"]);
        assert!(Folder::take(&path).is_err_and(|error| error.to_string().contains("another ./local.sh")));
        drop(folder);
        Folder::take(&path).unwrap();
    }

    #[test]
    fn values_are_quoted_for_a_shell() {
        assert_eq!(export("A", "it's"), "export A='it'\\''s'\n");
    }

    #[test]
    fn the_path_is_extended_where_it_has_no_kubectl() {
        let folder = tempfile::tempdir().unwrap();
        let extend = || extend_path(Path::new("/a cache/kubectl"), folder.path().as_os_str());
        assert_eq!(extend().as_deref(), Some("export PATH='/a cache':\"$PATH\"\n"));
        fs::write(folder.path().join("kubectl"), "").unwrap();
        assert_eq!(extend(), None);
    }
}
