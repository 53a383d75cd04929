//! The page of the reasons is that of the code, and whoever goes by a reason goes by one that exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use reconciler::plan::{Acts, Reason, reasons_page};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn read(path: &str) -> String {
    let text = fs::read_to_string(repository(path)).unwrap_or_default();
    assert!(!text.is_empty(), "{path} cannot be read");
    text
}

#[test]
fn the_page_is_up_to_date() {
    let generated = reasons_page();
    assert!(
        read("docs/reasons.md") == generated,
        "docs/reasons.md is stale: run `cargo run -p reconciler --bin generate-reasons`"
    );
}

/// A script that waits for a reason that nobody gives would be silent for ever.
#[test]
fn argo_cds_scripts_go_by_reasons_that_exist() {
    const KIND: &str = "manifests/argocd/resource_customizations/matrixmind.cloud/RDSDatabase";
    let compared = |script: &str| -> BTreeSet<String> {
        // `reason == "Paused"` and `instance == "InstanceLost"`, which is a reason too; the last is a type.
        let pieces = script.split("== \"").skip(1).filter_map(|rest| rest.split('"').next());
        pieces.map(str::to_owned).collect()
    };
    let others = ["True", "False", "InstanceReady"];
    let mut found = 0;
    for script in ["health.lua", "actions/discovery.lua"] {
        for word in compared(&read(&format!("{KIND}/{script}"))) {
            if !others.contains(&word.as_str()) {
                word.parse::<Reason>().unwrap_or_else(|unknown| panic!("{script}: {word}: {unknown}"));
                found += 1;
            }
        }
    }
    assert!(found >= 4, "the scripts go by more reasons than {found}");
}

/// Texts for people name reasons in backticks. What else is written so is listed.
#[test]
fn the_documentation_names_reasons_that_exist() {
    let (mut found, mut used) = (BTreeSet::new(), BTreeSet::new());
    for page in
        ["README.md", "docs/gitops.md", "docs/classes.md", "docs/install.md", "docs/applications.md", "docs/secrets.md"]
    {
        for word in read(page).split('`').filter(|word| is_camel_case(word)) {
            match word.parse::<Reason>() {
                Ok(reason) => drop(found.insert(reason)),
                Err(unknown) => {
                    assert!(OTHERS.contains(&word), "{page}: {word}: {unknown}");
                    used.insert(word.to_owned());
                }
            }
        }
    }
    assert!(found.contains(&Reason::InstanceLost), "{found:?}");
    assert_eq!(used.len(), OTHERS.len(), "of the others only {used:?} are there");
}

/// Kinds, conditions, alerts and words of others.
const OTHERS: [&str; 21] = [
    "AccessVerified",
    "AliasReady",
    "BackupsReady",
    "CopiesKept",
    "DatabasesReady",
    "DbiResourceId",
    "DefaultAmbiguous",
    "FinalSnapshotExists",
    "IncludeMutationWebhook",
    "InstanceReady",
    "MirrorPrune",
    "ParametersApplied",
    "RDSDatabase",
    "RDSDatabaseClass",
    "RDSDatabaseHangs",
    "RDSDatabasesNeedPlatform",
    "SecretsReady",
    "ServiceReady",
    "SettingsApplied",
    "StatusShortened",
    "StorageReady",
];

fn is_camel_case(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_uppercase())
        && word.chars().all(|letter| letter.is_ascii_alphabetic())
        && word.chars().filter(char::is_ascii_uppercase).count() > 1
        && word.chars().any(|letter| letter.is_ascii_lowercase())
}

/// An alert that goes by a word that no series has is silent for ever; a test of it that gives a reason to the wrong ones proves nothing.
#[test]
fn alerts_go_by_words_that_exist() {
    let label = regex_lite::Regex::new(r#"\b(reason|acts)(?:=|!=)"([A-Za-z]+)""#).expect("the pattern is valid");
    let pair = regex_lite::Regex::new(r#"reason="([A-Za-z]+)", acts="([a-z]+)""#).expect("the pattern is valid");
    let acts = Acts::ALL.map(Acts::as_str);
    let monitoring = "manifests/components/monitoring";
    let mut asked = BTreeSet::new();
    for file in [format!("{monitoring}/alerts.yaml"), "testbed/prometheus/alerts.yaml".to_owned()] {
        let text = read(&file);
        // The webhook has reasons of its own, for handshakes.
        for line in text.lines().filter(|line| !line.contains("rds_webhook")) {
            for found in label.captures_iter(line) {
                let (label, word) = (&found[1], &found[2]);
                asked.insert(label.to_owned());
                let known = if label == "acts" { acts.contains(&word) } else { word.parse::<Reason>().is_ok() };
                assert!(known, "{file}: {label} is never {word}");
            }
            for found in pair.captures_iter(line) {
                let reason: Reason =
                    found[1].parse().unwrap_or_else(|unknown| panic!("{file}: {}: {unknown}", &found[1]));
                assert_eq!(reason.acts().as_str(), &found[2], "{file}: {reason}");
            }
        }
    }
    assert_eq!(asked.len(), 2, "{asked:?}");
}
