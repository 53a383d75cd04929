//! Writes the catalogue of all messages to `docs/messages.md`, or to the file that is given.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let file = env::args_os().nth(1).map_or_else(default_file, PathBuf::from);
    let page = shared::catalogue::page().map_err(io::Error::other)?;
    fs::write(file, page)
}

fn default_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/messages.md")
}
