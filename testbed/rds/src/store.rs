//! The state and its file.

use std::io;
use std::path::{Path, PathBuf};

use rds_model::State;
use tokio::sync::Mutex;

/// The state could not be kept or read again.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not one of this server's.
    #[error("{path} does not hold the state of a local RDS: {source}", path = path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

/// Keeps the state: every change is in the file, where there is one, before anyone sees its result.
#[derive(Debug)]
pub(crate) struct Store {
    path: Option<PathBuf>,
    state: Mutex<State>,
}

impl Store {
    /// Reads the file, or begins with an empty state where there is none.
    pub(crate) fn open(path: PathBuf) -> Result<Self, StoreError> {
        let state = match std::fs::read(&path) {
            Ok(content) => {
                serde_json::from_slice(&content).map_err(|source| StoreError::Content { path: path.clone(), source })?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => State::default(),
            Err(source) => return Err(StoreError::File { path, source }),
        };
        Ok(Self { path: Some(path), state: Mutex::new(state) })
    }

    /// An empty state that lasts as long as the process: to write all of it at each change is too much where there are thousands of instances.
    pub(crate) fn in_memory() -> Self {
        Self { path: None, state: Mutex::default() }
    }

    /// Looks at the state.
    pub(crate) async fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&*self.state.lock().await)
    }

    /// Changes the state and keeps it. A `change` that fails must not have changed anything.
    pub(crate) async fn update<T, E: From<StoreError>>(
        &self,
        change: impl FnOnce(&mut State) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut state = self.state.lock().await;
        let result = change(&mut state)?;
        if let Some(path) = &self.path {
            let content =
                serde_json::to_vec(&*state).map_err(|source| StoreError::Content { path: path.clone(), source })?;
            write_atomically(path, &content).map_err(|source| StoreError::File { path: path.clone(), source })?;
        }
        Ok(result)
    }
}

/// Writes a file of the owner's alone so that a reader sees the old or the new content, never a part.
pub(crate) fn write_atomically(path: &Path, content: &[u8]) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    let draft = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(content)?;
    drop(file);
    std::fs::rename(draft, path)
}
