//! The shipped IAM policy allows the calls that the code makes, and beside them only what is written down here.

// Clippy's exception for tests reaches only functions with #[test], not what they call.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

const CRATE: &str = env!("CARGO_MANIFEST_DIR");
/// The only folder that may know AWS's SDK.
const ADAPTER: &str = "src/providers/aws";
/// The fields of the adapter that hold clients, and the service that each calls.
const CLIENTS: [&str; 2] = ["rds", "sts"];
/// What holds them where they are called.
const HOLDERS: [&str; 2] = ["self", "aws"];
/// Needed without being called: see `manifests/aws/README.md`.
const BESIDES: [&str; 3] = ["kms:DescribeKey", "kms:CreateGrant", "iam:CreateServiceLinkedRole"];
/// They read, and are of no resource that could be named, or asked for all (AWS Service Authorization Reference).
const OF_NO_RESOURCE: [&str; 3] =
    ["rds:DescribeEngineDefaultParameters", "rds:DescribeAccountAttributes", "rds:DescribePendingMaintenanceActions"];
/// Called without needing a right (AWS STS API Reference, GetCallerIdentity).
const FREE: [&str; 1] = ["sts:GetCallerIdentity"];

#[test]
fn the_policy_allows_what_the_code_calls() {
    let mut wanted = called();
    for free in FREE {
        assert!(wanted.remove(free), "{free} is not called any more: take it out of this test");
    }
    wanted.extend(BESIDES.map(str::to_owned));
    assert_eq!(allowed("iam-policy.json"), wanted, "left: manifests/aws/iam-policy.json, right: the code");
}

#[test]
fn the_role_that_takes_on_others_does_nothing_else() {
    assert_eq!(allowed("iam-policy-assume-role.json"), BTreeSet::from(["sts:AssumeRole".to_owned()]));
}

/// Each statement is for something: no right over everything, and none to change what is not the operator's own.
#[test]
fn no_right_is_for_everything() {
    for file in ["iam-policy.json", "iam-policy-assume-role.json"] {
        for statement in statements(file) {
            assert_eq!(statement["Effect"], "Allow", "{statement}");
            let read = strings(&statement["Action"]).iter().all(|action| OF_NO_RESOURCE.contains(&action.as_str()));
            for resource in strings(&statement["Resource"]).iter().filter(|_| !read) {
                assert!(resource.starts_with("arn:aws:"), "{file}: {resource}");
            }
            for action in strings(&statement["Action"]) {
                assert!(!action.contains('*'), "{file}: {action}");
                let fence = match action.as_str() {
                    "rds:CreateDBInstance"
                    | "rds:CreateDBParameterGroup"
                    | "rds:RestoreDBInstanceFromDBSnapshot"
                    | "rds:RestoreDBInstanceToPointInTime" => "aws:RequestTag/matrixmind.cloud/cluster",
                    "rds:ModifyDBInstance"
                    | "rds:RebootDBInstance"
                    | "rds:DeleteDBInstance"
                    | "rds:ModifyDBParameterGroup"
                    | "rds:DeleteDBParameterGroup"
                    | "rds:DescribeDBLogFiles"
                    | "rds:DownloadDBLogFilePortion" => "aws:ResourceTag/matrixmind.cloud/cluster",
                    "rds:DeleteDBSnapshot" => {
                        let kept = "arn:aws:rds:*:*:snapshot:*-kept-*";
                        assert_eq!(strings(&statement["Resource"]), [kept], "{file}: others' names");
                        assert_eq!(
                            statement["Condition"]["Null"]["aws:ResourceTag/matrixmind.cloud/kept"], "false",
                            "{file}: a snapshot that somebody wants to stay"
                        );
                        "aws:ResourceTag/matrixmind.cloud/cluster"
                    }
                    _ => continue,
                };
                assert_eq!(statement["Condition"]["Null"][fence], "false", "{file}: {action} without its fence");
            }
        }
    }
}

/// The fence is the tag that instances get.
#[test]
fn the_fence_is_the_tag_of_the_cluster() {
    assert_eq!(shared::api::labels::CLUSTER_TAG, "matrixmind.cloud/cluster");
    assert_eq!(shared::api::labels::KEPT_TAG, "matrixmind.cloud/kept");
}

/// The operations that the adapter calls, as IAM names them.
fn called() -> BTreeSet<String> {
    let mut actions = BTreeSet::new();
    let mut named = BTreeSet::new();
    for path in sources(&Path::new(CRATE).join("src")) {
        let code: String = read(&path).lines().map(|line| line.split("//").next().unwrap_or_default().trim()).collect();
        if !path.starts_with(Path::new(CRATE).join(ADAPTER)) {
            assert!(!code.contains("aws_sdk_"), "{} knows AWS's SDK: only {ADAPTER} may", path.display());
            continue;
        }
        for (client, service) in
            CLIENTS.iter().flat_map(|service| HOLDERS.map(|holder| (format!("{holder}.{service}"), service)))
        {
            for after in code.split(&client).skip(1) {
                let call = after.strip_prefix('.').and_then(|call| call.split_once("()"));
                let (operation, _) =
                    call.unwrap_or_else(|| panic!("{}: {client} is not called at once", path.display()));
                actions.insert(format!("{service}:{}", iam_name(operation)));
            }
        }
        let names = code.split("let action = \"").skip(1).filter_map(|after| after.split_once('"'));
        named.extend(names.map(|(name, _)| name.to_owned()));
    }
    let operations: BTreeSet<String> = actions.iter().map(|action| action[4..].to_owned()).collect();
    assert_eq!(named, operations, "left: the names that calls are counted by, right: the calls");
    let manifest = read(&Path::new(CRATE).join("Cargo.toml"));
    let sdks: Vec<&str> =
        manifest.lines().filter_map(|line| line.strip_prefix("aws-sdk-")?.split(['.', ' ']).next()).collect();
    assert_eq!(sdks, CLIENTS, "another SDK: its calls have to be looked for here");
    actions
}

/// `describe_db_instances` is DescribeDBInstances.
fn iam_name(operation: &str) -> String {
    let word = |word: &str| match word {
        "db" => "DB".to_owned(),
        word => word[..1].to_uppercase() + &word[1..],
    };
    operation.split('_').map(word).collect()
}

fn allowed(file: &str) -> BTreeSet<String> {
    statements(file).iter().flat_map(|statement| strings(&statement["Action"])).collect()
}

fn statements(file: &str) -> Vec<Value> {
    let policy: Value = serde_json::from_str(&read(&Path::new(CRATE).join("../manifests/aws").join(file))).unwrap();
    policy["Statement"].as_array().unwrap().clone()
}

/// IAM takes a string for a list of one.
fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => all.iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
        one => vec![one.as_str().unwrap().to_owned()],
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
