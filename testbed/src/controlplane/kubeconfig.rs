//! Kubeconfig files: where the API server is, whom to trust, and a token.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::{Context, Result};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;

/// The API server as its clients see it.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) url: String,
    /// The CA of its certificate, PEM.
    pub(super) ca: String,
}

/// The text of a kubeconfig.
pub(super) fn render(server: &Server, user: &str, token: &str, namespace: &str) -> Result<String> {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "testbed",
        "clusters": [{
            "name": "testbed",
            "cluster": {"server": server.url, "certificate-authority-data": BASE64_STANDARD.encode(&server.ca)},
        }],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": "testbed", "context": {"cluster": "testbed", "user": user, "namespace": namespace}}],
    });
    Ok(serde_yaml_ng::to_string(&config)?)
}

/// Writes a file that only its owner may read, at once or not at all.
pub(crate) fn write_private(path: &Path, content: &str) -> Result<()> {
    let what = || format!("writing {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(what)?;
    }
    let partial = path.with_extension("partial");
    let mut file =
        OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&partial).with_context(what)?;
    file.write_all(content.as_bytes()).with_context(what)?;
    fs::rename(&partial, path).with_context(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kube_reads_what_is_rendered() {
        let server = Server { url: "https://127.0.0.1:6443".to_owned(), ca: "a certificate".to_owned() };
        let config =
            kube::config::Kubeconfig::from_yaml(&render(&server, "somebody", "a token", "shop").unwrap()).unwrap();
        let context = config.contexts[0].context.as_ref().unwrap();
        assert_eq!(context.namespace.as_deref(), Some("shop"));
        assert_eq!(context.user.as_deref(), Some("somebody"));
        let cluster = config.clusters[0].cluster.as_ref().unwrap();
        assert_eq!(cluster.certificate_authority_data.as_deref(), Some("YSBjZXJ0aWZpY2F0ZQ=="));
    }
}
