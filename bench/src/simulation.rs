//! The simulated core at length: many lives, larger worlds explored whole, and how soon a planted fault is noticed.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use tempfile::NamedTempFile;

use crate::args::SimulationPlan;
use crate::report::{Table, progress};

/// A row of a table, as the simulation keeps it.
#[derive(Debug, Deserialize)]
struct Figures {
    table: String,
    header: Vec<String>,
    row: Vec<String>,
}

/// Lives, and then all else that the simulation can do.
///
/// # Errors
/// When something is not as it should be: what it is was printed.
pub(crate) fn measure(plan: &SimulationPlan) -> Result<Vec<Table>> {
    let kept = NamedTempFile::new()?;
    progress(&format!("{} lives", plan.lives));
    run(plan, kept.path(), &["--exact", "runs::lives"])?;
    progress("small worlds and planted faults");
    run(plan, kept.path(), &["--include-ignored", "--test-threads=1", "--skip", "runs::lives"])?;
    tables(&fs::read_to_string(kept.path())?)
}

fn run(plan: &SimulationPlan, kept: &Path, filter: &[&str]) -> Result<()> {
    let mut command = Command::new(&plan.program);
    command.arg("--nocapture").args(filter);
    command.env("MUTANT_BASES", "5").env("SIMULATION_FIGURES", kept).env("SIMULATION_LIVES", plan.lives.to_string());
    let status = command.status().with_context(|| format!("running {}", plan.program.display()))?;
    ensure!(status.success(), "the simulation has found something: it is printed above");
    Ok(())
}

/// The rows of each table together, in the order in which they came.
fn tables(kept: &str) -> Result<Vec<Table>> {
    let mut tables: Vec<(String, Table)> = Vec::new();
    for line in kept.lines() {
        let Figures { table, header, row } = serde_json::from_str(line).with_context(|| format!("reading {line}"))?;
        ensure!(header.len() == row.len(), "a row is not as long as its header: {line}");
        let at = tables.iter().position(|(name, _)| *name == table).unwrap_or_else(|| {
            tables.push((table.clone(), Table::new(&table, "", &header)));
            tables.len() - 1
        });
        tables[at].1.row(row);
    }
    ensure!(!tables.is_empty(), "the simulation has kept no figures");
    Ok(tables.into_iter().map(|(_, table)| table).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_table_come_together() {
        let kept = r#"{"table":"Lives","header":["lives"],"row":["7"]}
{"table":"Worlds","header":["moments","seconds"],"row":["1","2"]}
{"table":"Lives","header":["lives"],"row":["8"]}"#;
        let markdown: Vec<_> = tables(kept).unwrap().iter().map(Table::markdown).collect();
        assert_eq!(markdown.len(), 2);
        assert!(markdown[0].ends_with("| 7     |\n| 8     |\n"), "{}", markdown[0]);
        assert!(tables("").is_err() && tables(r#"{"table":"A","header":[],"row":["7"]}"#).is_err());
    }
}
