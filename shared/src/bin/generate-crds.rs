//! Writes the CustomResourceDefinitions to `manifests/crd` and into the Helm chart, or to the folder that is given.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folders = env::args_os().nth(1).map_or_else(default_folders, |folder| vec![PathBuf::from(folder)]);
    for folder in folders {
        fs::create_dir_all(&folder)?;
        for crd in shared::api::crds() {
            let yaml = serde_yaml_ng::to_string(&crd).map_err(io::Error::other)?;
            fs::write(folder.join(format!("{}.yaml", crd.spec.names.plural)), yaml)?;
        }
    }
    Ok(())
}

fn default_folders() -> Vec<PathBuf> {
    let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests");
    vec![manifests.join("crd"), manifests.join("helm/rds-operator/files/crds")]
}
