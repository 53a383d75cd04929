//! Where the programs of the control plane are.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::go_programs;

/// The programs of a control plane, and kubectl.
#[derive(Clone, Debug)]
pub struct Binaries {
    pub(super) etcd: PathBuf,
    pub(super) apiserver: PathBuf,
    pub(super) controller_manager: PathBuf,
    /// Is there where a node's programs were asked for.
    pub(super) scheduler: PathBuf,
    /// As the scheduler.
    pub(crate) kubelet: PathBuf,
    /// As the scheduler.
    pub(crate) proxy: PathBuf,
    /// kubectl, of the version of the API server: others read manifests in other ways.
    pub kubectl: PathBuf,
}

impl Binaries {
    /// Finds the programs, after building what is missing. The first build takes some minutes; its progress goes to stderr.
    ///
    /// `KUBEBUILDER_ASSETS` goes first, as with envtest. It has no kube-controller-manager, which works with an API server of its own minor
    /// version or the next (Kubernetes' version skew policy).
    ///
    /// # Errors
    /// When the build fails, or Go is missing.
    pub async fn ensure() -> Result<Self> {
        Self::ensure_also(&[]).await
    }

    /// As [`ensure`](Self::ensure), with a scheduler and what runs on a node.
    ///
    /// # Errors
    /// As [`ensure`](Self::ensure).
    pub async fn ensure_with_node() -> Result<Self> {
        Self::ensure_also(&["kube-scheduler", "kubelet", "kube-proxy"]).await
    }

    async fn ensure_also(kept_back: &[&str]) -> Result<Self> {
        let built = go_programs::build_also("controlplane", kept_back).await?;
        let assets = std::env::var_os("KUBEBUILDER_ASSETS").filter(|folder| !folder.is_empty()).map(PathBuf::from);
        let folders: Vec<PathBuf> = assets.into_iter().chain([built.clone()]).collect();
        Ok(Self {
            scheduler: built.join("kube-scheduler"),
            kubelet: built.join("kubelet"),
            proxy: built.join("kube-proxy"),
            etcd: find("etcd", &folders)?,
            apiserver: find("kube-apiserver", &folders)?,
            controller_manager: find("kube-controller-manager", &folders)?,
            kubectl: find("kubectl", &folders)?,
        })
    }
}

fn find(program: &str, folders: &[PathBuf]) -> Result<PathBuf> {
    let Some(found) = folders.iter().map(|folder| folder.join(program)).find(|path| is_executable(path)) else {
        bail!("{program} is in none of {folders:?}");
    };
    Ok(found)
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
