//! What the demo runs on: processes of this machine, or Pods of a node.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{TIME_SCALE, environment::Folder, narrator::Narrator};
use crate::{
    controlplane::{Binaries, ControlPlane},
    node::{self, Node},
    stack::{LocalRds, Options, Programs, Stack},
};

/// Everything that the demo starts.
pub(super) enum Ground {
    Processes(Box<Stack>),
    Pods(Box<Node>),
}

impl Ground {
    pub(super) async fn processes(folder: &Folder, narrator: &Narrator) -> Result<Self> {
        let options = Options { kubeconfig: folder.kubeconfig(), audit: false, time_scale: TIME_SCALE, engines: true };
        let binaries = Binaries::ensure().await?;
        let programs = Programs::beside_this_one()?;
        let told = |text: &str| narrator.done(text);
        let stack = Stack::start(&binaries, &programs, folder.path(), options, &told).await?;
        folder.write_env(&stack, &binaries.kubectl)?;
        Ok(Self::Processes(Box::new(stack)))
    }

    pub(super) async fn pods(folder: &Folder, narrator: &Narrator) -> Result<Self> {
        let binaries = node::ensure_programs().await?;
        let programs = Programs::beside_this_one()?;
        let (inside, told) = (folder.path().join("node.kubeconfig"), |text: &str| narrator.done(text));
        let node = Node::start(&binaries, &programs, folder.path(), inside, TIME_SCALE, &told).await?;
        node.write_kubeconfig(&folder.kubeconfig())?;
        folder.write_node_env(&binaries.kubectl)?;
        node.install(node::SELF_MANAGED).await?;
        narrator
            .done("manifests/overlays/self-managed installed, with a patch for the local RDS: testbed/node/local-rds");
        Ok(Self::Pods(Box::new(node)))
    }

    pub(super) fn controlplane(&self) -> &ControlPlane {
        match self {
            Self::Processes(stack) => stack.controlplane(),
            Self::Pods(node) => node.plane(),
        }
    }

    pub(super) fn rds(&self) -> &LocalRds {
        match self {
            Self::Processes(stack) => stack.rds(),
            Self::Pods(node) => node.rds(),
        }
    }

    pub(super) fn logs(&self) -> PathBuf {
        match self {
            Self::Processes(stack) => stack.logs(),
            Self::Pods(node) => node.logs().to_owned(),
        }
    }

    /// What a person may look at first.
    pub(super) fn places(&self, logs: &Path) -> String {
        let logs = logs.display();
        match self {
            Self::Processes(_) => format!("Logs: {logs}"),
            Self::Pods(_) => format!(
                "    kubectl get pods -n rds-system                       the operator
    kubectl logs -n rds-system deployment/rds-reconciler

The databases themselves are reached from Pods only: manifests/examples/application.yaml is one.
Logs: {logs}"
            ),
        }
    }

    /// Waits until a part ends by itself.
    pub(super) async fn watch(&mut self) -> Result<()> {
        match self {
            Self::Processes(stack) => stack.watch().await,
            Self::Pods(node) => node.watch().await,
        }
    }

    pub(super) async fn stop(self) -> Result<()> {
        match self {
            Self::Processes(stack) => stack.stop().await,
            Self::Pods(node) => node.stop().await,
        }
    }
}
