//! The keys of a Secret or a ConfigMap as files, kept up to date as the kubelet does it: late, and all at once by swapping one symlink.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, symlink},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, Client};
use tokio::task::JoinHandle;

use super::pod::Keeper;

/// The symlink that all files lie behind.
const DATA: &str = "..data";

/// The mode of files where a Pod asks for none.
const DEFAULT_MODE: u32 = 0o644;

/// How often the object is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// A volume that follows its object for as long as this value lives.
#[derive(Debug)]
pub struct Volume(JoinHandle<()>);

impl Drop for Volume {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The object that a volume shows, and how.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) of: Keeper,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) optional: bool,
    pub(super) mode: u32,
    pub(super) folder: PathBuf,
}

impl Volume {
    /// A Secret as a container sees it whose Pod mounts it whole: each key is a file in `folder`. Changes come at once.
    ///
    /// # Errors
    /// When there is no such Secret: the Pod would not be started.
    pub async fn of_secret(client: Client, namespace: &str, name: &str, folder: &Path) -> Result<Self> {
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        let of = Keeper::Secret;
        let wanted = Wanted { of, namespace, name, optional: false, mode: DEFAULT_MODE, folder: folder.to_owned() };
        Self::mount(client, wanted, Duration::ZERO).await
    }

    /// Writes the files, and from then on again whenever the object has changed, `lag` later.
    ///
    /// A kubelet writes them in its next look at the Pod, which comes after 60 to 90 seconds; what it writes then is what the object holds
    /// then.
    pub(super) async fn mount(client: Client, wanted: Wanted, lag: Duration) -> Result<Self> {
        let mut shown = None;
        DirBuilder::new().recursive(true).mode(0o755).create(&wanted.folder).context("making a volume's folder")?;
        match wanted.content(&client).await? {
            Some(found) => {
                write(&wanted.folder, &found, wanted.mode)?;
                shown = Some(found);
            }
            None if wanted.optional => {}
            None => bail!("the {:?} {} is not there: the Pod would not be started", wanted.of, wanted.name),
        }
        Ok(Self(tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                // An API server that is away, or an object that is gone, changes nothing: files stay as they are.
                let Ok(Some(_)) = wanted.changed(&client, shown.as_ref()).await else { continue };
                tokio::time::sleep(lag).await;
                let Ok(Some(found)) = wanted.changed(&client, shown.as_ref()).await else { continue };
                if write(&wanted.folder, &found, wanted.mode).is_ok() {
                    shown = Some(found);
                }
            }
        })))
    }
}

type Files = BTreeMap<String, Vec<u8>>;

impl Wanted {
    async fn content(&self, client: &Client) -> Result<Option<Files>> {
        let Self { of, namespace, name, .. } = self;
        let what = || format!("reading the {of:?} {name}");
        Ok(match of {
            Keeper::Secret => {
                let found =
                    Api::<Secret>::namespaced(client.clone(), namespace).get_opt(name).await.with_context(what)?;
                found.map(|found| {
                    found.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect()
                })
            }
            Keeper::ConfigMap => {
                let found =
                    Api::<ConfigMap>::namespaced(client.clone(), namespace).get_opt(name).await.with_context(what)?;
                let text = |(key, value): (String, String)| (key, value.into_bytes());
                found.map(|found| found.data.unwrap_or_default().into_iter().map(text).collect())
            }
        })
    }

    /// The content, if it is not what is shown.
    async fn changed(&self, client: &Client, shown: Option<&Files>) -> Result<Option<Files>> {
        Ok(self.content(client).await?.filter(|found| Some(found) != shown))
    }
}

/// Shows these files in place of those before. Whoever reads by `folder/key` sees the old ones or the new ones, never a mixture.
///
/// The layout of the kubelet's atomic writer: a folder for each version, a symlink `..data` to the present one that is renamed over the
/// last, and for each key a symlink through it.
fn write(folder: &Path, files: &Files, mode: u32) -> Result<()> {
    let what = || format!("writing the volume {}", folder.display());
    let before = fs::read_link(folder.join(DATA)).ok();
    // Two names are enough: the version before the last is gone.
    let version = ["..version-0", "..version-1"].into_iter().find(|&name| before.as_deref() != Some(Path::new(name)));
    let version = version.context("one of two names is free")?;
    fs::create_dir(folder.join(version)).with_context(what)?;
    for (key, value) in files {
        let path = folder.join(version).join(key);
        let mut file = OpenOptions::new().create_new(true).write(true).mode(mode).open(path).with_context(what)?;
        file.write_all(value).with_context(what)?;
    }
    let swap = folder.join("..data_tmp");
    symlink(version, &swap).with_context(what)?;
    fs::rename(&swap, folder.join(DATA)).with_context(what)?;
    for key in files.keys() {
        match symlink(Path::new(DATA).join(key), folder.join(key)) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error).with_context(what),
            _ => {}
        }
    }
    for entry in fs::read_dir(folder).with_context(what)? {
        let name = entry.with_context(what)?.file_name();
        let stale = name.to_str().is_some_and(|name| !name.starts_with("..") && !files.contains_key(name));
        if stale {
            fs::remove_file(folder.join(name)).with_context(what)?;
        }
    }
    match before {
        Some(before) => fs::remove_dir_all(folder.join(before)).with_context(what),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn files(content: &[(&str, &str)]) -> Files {
        content.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec())).collect()
    }

    #[test]
    fn files_are_swapped_all_at_once() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path();
        write(folder, &files(&[("tls.crt", "one"), ("old", "")]), 0o440).unwrap();
        assert_eq!(fs::read_link(folder.join("tls.crt")).unwrap(), Path::new("..data/tls.crt"));
        assert_eq!(fs::metadata(folder.join("tls.crt")).unwrap().permissions().mode() & 0o777, 0o440);
        let first = fs::read_link(folder.join(DATA)).unwrap();

        write(folder, &files(&[("tls.crt", "two")]), 0o440).unwrap();
        assert_eq!(fs::read_to_string(folder.join("tls.crt")).unwrap(), "two");
        assert_ne!(fs::read_link(folder.join(DATA)).unwrap(), first);
        let mut left: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["..data", "..version-1", "tls.crt"]);
    }
}
