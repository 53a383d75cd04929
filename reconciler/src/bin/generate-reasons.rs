//! Writes the page of all reasons to `docs/reasons.md`, or to the file that is given.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let file = env::args_os().nth(1).map_or_else(default_file, PathBuf::from);
    fs::write(file, reconciler::plan::reasons_page())
}

fn default_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reasons.md")
}
