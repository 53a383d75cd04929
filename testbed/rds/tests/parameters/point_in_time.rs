//! RestoreDBInstanceToPointInTime.

use aws_sdk_rds::types::AdditionalStorageVolume;

use crate::support::{code, create};
use crate::{
    COMBINATION, GROUP, Shown, VALUE, complete, cores, groups, look, members, names, parameter_group, start,
    subnet_group, tag, tags,
};

#[tokio::test(flavor = "multi_thread")]
async fn of_a_restore_to_a_point_in_time() {
    let cloud = start().await;
    let rds = &cloud.rds;
    create(rds, "source", "17").tags(tag("owner", "source")).max_allocated_storage(100).send().await.unwrap();
    let source = cloud.status_is("source", "available").await;
    let earliest = *source.latest_restorable_time().unwrap();

    let unsourced = |id: &str| rds.restore_db_instance_to_point_in_time().target_db_instance_identifier(id);
    let restore = |id: &str| unsourced(id).source_db_instance_identifier("source").use_latest_restorable_time(true);
    let full = restore("full")
        .max_allocated_storage(600)
        .db_instance_class("db.t4g.small")
        .port(5433)
        .availability_zone("eu-central-1c")
        .db_subnet_group_name("databases")
        .publicly_accessible(true)
        .auto_minor_version_upgrade(false)
        .license_model("postgresql-license")
        .engine("postgres")
        .allocated_storage(400)
        .iops(13_000)
        .storage_throughput(600)
        .storage_type("gp3")
        .option_group_name("default:postgres-17")
        .db_parameter_group_name("default.postgres17")
        .tags(tag("own", "x"))
        .vpc_security_group_ids(GROUP)
        .copy_tags_to_snapshot(true)
        .enable_iam_database_authentication(true)
        .enable_cloudwatch_logs_exports("upgrade")
        .deletion_protection(true)
        .enable_customer_owned_ip(false)
        .network_type("IPV4")
        .backup_target("region")
        .backup_retention_period(3)
        .preferred_backup_window("01:00-01:30")
        .ca_certificate_identifier("rds-ca-rsa4096-g1")
        .engine_lifecycle_support("open-source-rds-extended-support-disabled")
        .tag_specifications(tags("auto-backup"))
        .manage_master_user_password(false);
    let shown: &[Shown] = &[
        ("target_db_instance_identifier", |i| i.db_instance_identifier() == Some("full")),
        ("source_db_instance_identifier", |i| i.master_username() == Some("sysadmin")),
        ("use_latest_restorable_time", |i| i.latest_restorable_time().is_some()),
        ("max_allocated_storage", |i| i.max_allocated_storage() == Some(600)),
        ("db_instance_class", |i| i.db_instance_class() == Some("db.t4g.small")),
        ("port", |i| i.endpoint().unwrap().port() >= Some(1150)),
        ("availability_zone", |i| i.availability_zone() == Some("eu-central-1c")),
        ("db_subnet_group_name", |i| subnet_group(i) == Some("databases")),
        ("publicly_accessible", |i| i.publicly_accessible() == Some(true)),
        ("auto_minor_version_upgrade", |i| i.auto_minor_version_upgrade() == Some(false)),
        ("license_model", |i| i.license_model() == Some("postgresql-license")),
        ("engine", |i| i.engine() == Some("postgres")),
        ("allocated_storage", |i| i.allocated_storage() == Some(400)),
        ("iops", |i| i.iops() == Some(13_000)),
        ("storage_throughput", |i| i.storage_throughput() == Some(600)),
        ("storage_type", |i| i.storage_type() == Some("gp3")),
        ("option_group_name", |i| i.option_group_memberships()[0].option_group_name() == Some("default:postgres-17")),
        ("db_parameter_group_name", |i| parameter_group(i) == Some("default.postgres17")),
        ("tags", |i| i.tag_list() == [tag("own", "x")]),
        ("vpc_security_group_ids", |i| groups(i) == [GROUP]),
        ("copy_tags_to_snapshot", |i| i.copy_tags_to_snapshot() == Some(true)),
        ("enable_iam_database_authentication", |i| i.iam_database_authentication_enabled() == Some(true)),
        ("enable_cloudwatch_logs_exports", |i| i.enabled_cloudwatch_logs_exports() == ["upgrade"]),
        ("deletion_protection", |i| i.deletion_protection() == Some(true)),
        ("enable_customer_owned_ip", |i| i.customer_owned_ip_enabled() == Some(false)),
        ("network_type", |i| i.network_type() == Some("IPV4")),
        ("backup_target", |i| i.backup_target() == Some("region")),
        ("backup_retention_period", |i| i.backup_retention_period() == Some(3)),
        ("preferred_backup_window", |i| i.preferred_backup_window() == Some("01:00-01:30")),
        ("ca_certificate_identifier", |i| i.ca_certificate_identifier() == Some("rds-ca-rsa4096-g1")),
        ("engine_lifecycle_support", |i| {
            i.engine_lifecycle_support() == Some("open-source-rds-extended-support-disabled")
        }),
        ("tag_specifications", |_| true),
        ("manage_master_user_password", |i| i.master_user_secret().is_none()),
    ];
    let bare = unsourced("bare")
        .source_dbi_resource_id(source.dbi_resource_id().unwrap())
        .restore_time(earliest)
        .multi_az(true);
    let inherited: &[Shown] = &[
        ("multi_az", |i| i.multi_az() == Some(true)),
        ("source_dbi_resource_id", |i| i.tag_list() == [tag("owner", "source")]),
        ("restore_time", |i| i.max_allocated_storage().is_none()),
    ];
    let (all, mut set) = members(full.as_input());
    set.extend(members(bare.as_input()).1);

    let mut cases = refused_everywhere!(restore("bad"), AdditionalStorageVolume);
    cases.extend(vec![
        ("backup_target", restore("bad").backup_target("outposts"), COMBINATION),
        ("custom_iam_instance_profile", restore("bad").custom_iam_instance_profile("p"), COMBINATION),
        (
            "source_db_instance_automated_backups_arn",
            unsourced("bad").source_db_instance_automated_backups_arn("arn").use_latest_restorable_time(true),
            "DBInstanceAutomatedBackupNotFound",
        ),
        ("source_db_instance_identifier", restore("bad").source_dbi_resource_id("db-1"), COMBINATION),
        ("restore_time", restore("bad").restore_time(earliest), COMBINATION),
        ("target_db_instance_identifier", restore("source"), "DBInstanceAlreadyExists"),
        ("db_name", restore("bad").db_name("shop"), VALUE),
        ("use_default_processor_features", restore("bad").use_default_processor_features(true), COMBINATION),
        ("allocated_storage", restore("bad").allocated_storage(21), COMBINATION),
        // Without a size, too, the volume is checked as asked for.
        ("iops", restore("bad").iops(3000).storage_type("gp3"), COMBINATION),
        ("storage_throughput", restore("bad").storage_throughput(125), COMBINATION),
    ]);
    let refused = each_is_refused!(cases);
    complete(&all, &set, &names(&[shown, inherited]), &refused);

    full.send().await.unwrap();
    bare.send().await.unwrap();
    look(&cloud.status_is("full", "available").await, shown);
    let backups = rds.describe_db_instance_automated_backups().db_instance_identifier("full").send().await.unwrap();
    assert_eq!(backups.db_instance_automated_backups()[0].tag_list(), [tag("team", "shop")]);
    let bare = cloud.status_is("bare", "available").await;
    look(&bare, inherited);
    cloud.login(&bare, "sysadmin", "postgres").await;
    cloud.server.stop().await;
}
