//! Writes the CustomResourceDefinitions to `manifests/crd`, or to the folder that is given.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).map_or_else(default_folder, PathBuf::from);
    fs::create_dir_all(&folder)?;
    for crd in shared::api::crds() {
        let yaml = serde_yaml_ng::to_string(&crd).map_err(io::Error::other)?;
        fs::write(folder.join(format!("{}.yaml", crd.spec.names.plural)), yaml)?;
    }
    Ok(())
}

fn default_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests/crd")
}
