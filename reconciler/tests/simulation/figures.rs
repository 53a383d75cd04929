//! What was seen, in figures: told to people, and kept for whoever makes tables of it.

use std::fs::File;
use std::io::Write as _;

use serde_json::json;

/// Tells a row of a table, and appends it as a line of JSON to the file that `SIMULATION_FIGURES` names.
#[allow(clippy::print_stdout, reason = "figures are for a person")]
pub(crate) fn tell(table: &str, row: &[(&str, String)]) {
    let cells: Vec<_> = row.iter().map(|(name, value)| format!("{name} {value}")).collect();
    println!("{table}: {}", cells.join(", "));
    let Some(path) = std::env::var_os("SIMULATION_FIGURES") else { return };
    let (header, cells): (Vec<_>, Vec<_>) = row.iter().cloned().unzip();
    let line = format!("{}\n", json!({"table": table, "header": header, "row": cells}));
    let kept = File::options().create(true).append(true).open(&path);
    kept.and_then(|mut file| file.write_all(line.as_bytes())).expect("the figures can be kept");
}
