//! Every member of the SDK's inputs: what one says is shown, pending or refused, and nothing is dropped in silence. A new version of the SDK
//! with a new member fails here until somebody has decided.

// clippy.toml allows these in test functions; a test's own functions are no less tests.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fmt::Debug;

use aws_sdk_rds::types::{DbInstance, PendingModifiedValues, ProcessorFeature, Tag, TagSpecification};
use support::{Cloud, client};

const COMBINATION: &str = "InvalidParameterCombination";
const VALUE: &str = "InvalidParameterValue";
const ROLE: &str = "arn:aws:iam::000000000000:role/rds-monitoring";
const GROUP: &str = "sg-0123456789abcdef0";

type Shown = (&'static str, fn(&DbInstance) -> bool);
type Pending = (&'static str, fn(&PendingModifiedValues) -> bool);

/// The members of an input, and of them those that are set, as its builder's `Debug` lists them.
fn members(input: &impl Debug) -> (BTreeSet<String>, BTreeSet<String>) {
    let text = format!("{input:#?}");
    let fields = text.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("    ")?.split_once(": ")?;
        (!name.starts_with(' ')).then(|| (name.to_owned(), value.starts_with("Some(")))
    });
    let (mut all, mut set) = (BTreeSet::new(), BTreeSet::new());
    for (name, is_set) in fields {
        if is_set {
            set.insert(name.clone());
        }
        all.insert(name);
    }
    assert!(all.len() > 1 && !set.is_empty(), "the SDK writes its inputs in another way: {text}");
    (all, set)
}

/// Each member that a request sets is looked at, and each member of the input is either looked at or refused.
fn complete(all: &BTreeSet<String>, set: &BTreeSet<String>, looked_at: &[&str], refused: &[&str]) {
    let own = |names: &[&str]| -> BTreeSet<String> { names.iter().map(ToString::to_string).collect() };
    let (looked_at, refused) = (own(looked_at), own(refused));
    let unseen: Vec<_> = set.difference(&looked_at).collect();
    assert!(unseen.is_empty(), "sent, and nobody looks what becomes of it: {unseen:?}");
    let known: BTreeSet<_> = looked_at.union(&refused).cloned().collect();
    let unknown: Vec<_> = all.difference(&known).collect();
    assert!(unknown.is_empty(), "members of the SDK that nobody has decided on: {unknown:?}");
    let gone: Vec<_> = known.difference(all).collect();
    assert!(gone.is_empty(), "no members of the SDK: {gone:?}");
}

fn names<T: Copy, U: Copy>(tables: &[&[(T, U)]]) -> Vec<T> {
    tables.iter().flat_map(|table| table.iter().map(|(name, _)| *name)).collect()
}

fn look(instance: &DbInstance, table: &[Shown]) {
    let wrong: Vec<_> = table.iter().filter(|(_, shown)| !shown(instance)).map(|(name, _)| *name).collect();
    assert!(wrong.is_empty(), "not shown as sent: {wrong:?} in {instance:#?}");
}

/// What no PostgreSQL instance of this account can have, for all three ways to say it.
macro_rules! refused_everywhere {
    ($request:expr, $volume:ty) => {
        vec![
            (
                "additional_storage_volumes",
                $request.additional_storage_volumes(<$volume>::builder().volume_name("rdsdbdata2").build()),
                COMBINATION,
            ),
            (
                "db_capacity_reservation_identifier",
                $request.db_capacity_reservation_identifier("r"),
                "DBCapacityReservationNotFound",
            ),
            ("domain", $request.domain("d-1"), "DomainNotFoundFault"),
            ("domain_auth_secret_arn", $request.domain_auth_secret_arn("a"), COMBINATION),
            ("domain_dns_ips", $request.domain_dns_ips("10.0.0.1"), COMBINATION),
            ("domain_fqdn", $request.domain_fqdn("a.b"), COMBINATION),
            ("domain_iam_role_name", $request.domain_iam_role_name("r"), COMBINATION),
            ("domain_ou", $request.domain_ou("o"), COMBINATION),
            ("enable_customer_owned_ip", $request.enable_customer_owned_ip(true), COMBINATION),
            ("license_model", $request.license_model("bring-your-own-license"), VALUE),
            ("manage_master_user_password", $request.manage_master_user_password(true), COMBINATION),
            ("master_user_secret_kms_key_id", $request.master_user_secret_kms_key_id("k"), COMBINATION),
            ("network_type", $request.network_type("DUAL"), "NetworkTypeNotSupported"),
            ("option_group_name", $request.option_group_name("mine"), "OptionGroupNotFoundFault"),
            ("processor_features", $request.processor_features(cores()), COMBINATION),
            ("tde_credential_arn", $request.tde_credential_arn("a"), COMBINATION),
            ("tde_credential_password", $request.tde_credential_password("p"), COMBINATION),
            // What nobody has heard of.
            ("ca_certificate_identifier", $request.ca_certificate_identifier("rds-ca-2019"), "CertificateNotFound"),
            ("db_parameter_group_name", $request.db_parameter_group_name("mine"), "DBParameterGroupNotFound"),
            ("db_subnet_group_name", $request.db_subnet_group_name("none"), "DBSubnetGroupNotFoundFault"),
            ("vpc_security_group_ids", $request.vpc_security_group_ids("sg-0123456789abcdef1"), VALUE),
            ("dedicated_log_volume", $request.dedicated_log_volume(true), COMBINATION),
            ("tag_specifications", $request.tag_specifications(tags("cluster-auto-backup")), VALUE),
        ]
    };
}

fn cores() -> ProcessorFeature {
    ProcessorFeature::builder().name("coreCount").value("2").build()
}

fn tags(resource: &str) -> TagSpecification {
    TagSpecification::builder().resource_type(resource).tags(tag("team", "shop")).build()
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

macro_rules! each_is_refused {
    ($cases:expr) => {{
        let mut seen = Vec::new();
        for (name, request, expected) in $cases {
            let answer = request.send().await;
            assert_eq!(answer.as_ref().map(|_| "accepted").map_err(code), Err(expected.to_owned()), "{name}");
            seen.push(name);
        }
        seen
    }};
}

// After the macros, which they use.
mod creation;
mod modification;
mod point_in_time;
mod restore;

async fn start() -> Cloud {
    Cloud::start_with(|options| {
        options.security_groups = vec![GROUP.to_owned()];
        options.subnet_groups = vec!["databases".to_owned()];
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_smaller_actions() {
    let rds = client("http://127.0.0.1:1", "eu-central-1");
    let looked_at = |input: &dyn Fn() -> (BTreeSet<String>, BTreeSet<String>), known: &[&str]| {
        let (all, set) = input();
        complete(&all, &set, known, &[]);
    };
    let id = "db_instance_identifier";
    let stop = rds.stop_db_instance().db_instance_identifier("a");
    looked_at(&|| members(stop.as_input()), &[id, "db_snapshot_identifier", "detach_from_db_capacity_reservation"]);
    let start = rds.start_db_instance().db_instance_identifier("a");
    looked_at(&|| members(start.as_input()), &[id, "db_capacity_reservation_identifier"]);
    let reboot = rds.reboot_db_instance().db_instance_identifier("a");
    looked_at(&|| members(reboot.as_input()), &[id, "force_failover"]);
    let delete = rds.delete_db_instance().db_instance_identifier("a");
    let known = [id, "skip_final_snapshot", "final_db_snapshot_identifier", "delete_automated_backups"];
    looked_at(&|| members(delete.as_input()), &known);
    let snapshot = rds.create_db_snapshot().db_instance_identifier("a");
    looked_at(&|| members(snapshot.as_input()), &[id, "db_snapshot_identifier", "tags"]);
    let copy = rds.copy_db_snapshot().source_db_snapshot_identifier("a");
    let ids = ["source_db_snapshot_identifier", "target_db_snapshot_identifier"];
    let (kept, refused) = (
        ["copy_tags", "tags", "kms_key_id"],
        ["option_group_name", "snapshot_target", "snapshot_availability_zone", "target_custom_availability_zone"],
    );
    // They are about other accounts and regions.
    let nothing = ["copy_option_group", "pre_signed_url"];
    looked_at(&|| members(copy.as_input()), &[&ids[..], &kept, &refused, &nothing].concat());
}

fn groups(instance: &DbInstance) -> Vec<&str> {
    instance.vpc_security_groups().iter().filter_map(|group| group.vpc_security_group_id()).collect()
}

fn subnet_group(instance: &DbInstance) -> Option<&str> {
    instance.db_subnet_group().and_then(|group| group.db_subnet_group_name())
}

fn parameter_group(instance: &DbInstance) -> Option<&str> {
    instance.db_parameter_groups()[0].db_parameter_group_name()
}
