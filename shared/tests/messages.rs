//! The catalogue that is shipped is that of the rules.

use std::fs;
use std::path::Path;

#[test]
fn the_catalogue_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/messages.md");
    let written = fs::read_to_string(&file).unwrap();
    let generated = shared::catalogue::page().unwrap();
    assert!(written == generated, "{} is stale: run `cargo run -p shared --bin generate-messages`", file.display());
}
