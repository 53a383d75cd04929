//! Where the files are.

use std::path::{Path, PathBuf};

/// The paths below the data directory of this server.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn ready_file(&self) -> PathBuf {
        self.root.join("ready.json")
    }

    pub(crate) fn state_file(&self) -> PathBuf {
        self.root.join("state.json")
    }

    pub(crate) fn lock_file(&self) -> PathBuf {
        self.root.join("lock")
    }

    pub(crate) fn ca_certificate(&self) -> PathBuf {
        self.root.join("ca.pem")
    }

    pub(crate) fn ca_key(&self) -> PathBuf {
        self.root.join("ca.key")
    }

    /// The password of `rdsadmin`, which is the same in all instances so that a restored one is reached as well.
    pub(crate) fn admin_password(&self) -> PathBuf {
        self.root.join("rdsadmin.password")
    }

    /// Everything of one instance.
    pub(crate) fn instance(&self, resource_id: &str) -> PathBuf {
        self.root.join("instances").join(resource_id)
    }

    /// The data directory of one instance.
    pub(crate) fn data(&self, resource_id: &str) -> PathBuf {
        self.instance(resource_id).join("data")
    }

    /// The folder whose files DescribeDBLogFiles lists as `error/…`.
    pub(crate) fn logs(&self, resource_id: &str) -> PathBuf {
        self.instance(resource_id).join("log")
    }

    /// The write-ahead log that was archived, by the major that wrote it: others begin anew.
    pub(crate) fn archive(&self, resource_id: &str, major: u16) -> PathBuf {
        self.archives(resource_id).join(major.to_string())
    }

    /// All of that: what is left of an instance whose automated backup is retained.
    pub(crate) fn archives(&self, resource_id: &str) -> PathBuf {
        self.instance(resource_id).join("archive")
    }

    /// The write-ahead log of another instance while it is played.
    pub(crate) fn recovery(&self, resource_id: &str) -> PathBuf {
        self.instance(resource_id).join(super::recovery::RECOVERY)
    }

    /// The data of a snapshot.
    pub(crate) fn snapshot(&self, id: &str) -> PathBuf {
        self.root.join("snapshots").join(id)
    }
}
