//! What can be had: of new instances, of one that is there, and of the account.

// clippy.toml allows these in test functions; a test's own functions are no less tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use support::{Cloud, code, create};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_can_be_asked_for() {
    // As slow as RDS: nothing starts before the end.
    let cloud = Cloud::start_with(|options| {
        (options.time_scale, options.instance_quota, options.snapshot_quota) = (1.0, Some(2), 9);
        options.subnet_groups = vec!["databases".to_owned()];
    })
    .await;
    let rds = &cloud.rds;
    let orderable = || rds.describe_orderable_db_instance_options().engine("postgres").engine_version("17.11");
    let page = orderable().max_records(20).send().await.unwrap();
    assert_eq!((page.orderable_db_instance_options().len(), page.marker().is_some()), (20, true));
    let small = orderable().db_instance_class("db.t4g.micro").send().await.unwrap();
    let gp3 = small.orderable_db_instance_options().iter().find(|option| option.storage_type() == Some("gp3")).unwrap();
    let zones: Vec<_> = gp3.availability_zones().iter().filter_map(|zone| zone.name()).collect();
    assert_eq!(zones, ["eu-central-1a", "eu-central-1b", "eu-central-1c"]);
    assert_eq!(
        (gp3.multi_az_capable(), gp3.min_storage_size(), gp3.max_storage_size()),
        (Some(true), Some(20), Some(65_536))
    );
    assert_eq!((gp3.min_iops_per_db_instance(), gp3.max_storage_throughput_per_iops()), (Some(12_000), Some(0.25)));
    let unknown = rds.describe_orderable_db_instance_options().engine("mangodb").send().await.unwrap_err();
    assert_eq!(code(&unknown), "InvalidParameterValue");

    let quotas = async || {
        let told = rds.describe_account_attributes().send().await.unwrap();
        let of = |name: &str| {
            let quota = told.account_quotas().iter().find(|quota| quota.account_quota_name() == Some(name));
            quota.map(|quota| (quota.used().unwrap(), quota.max().unwrap())).unwrap()
        };
        (of("DBInstances"), of("ManualSnapshots"), of("AllocatedStorage").0, of("DBSubnetGroups").0)
    };
    assert_eq!(quotas().await, ((0, 2), (0, 9), 0, 2));
    create(rds, "orders", "17").allocated_storage(45).send().await.unwrap();
    create(rds, "shop", "17").send().await.unwrap();
    assert_eq!(quotas().await, ((2, 2), (0, 9), 65, 2));
    assert_eq!(code(&create(rds, "more", "17").send().await.unwrap_err()), "InstanceQuotaExceeded");

    let valid = || rds.describe_valid_db_instance_modifications().db_instance_identifier("orders");
    assert_eq!(code(&valid().send().await.unwrap_err()), "InvalidDBInstanceState", "it is being created");
    cloud.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_instance_can_become_is_told_and_taken() {
    let cloud = Cloud::start().await;
    let rds = &cloud.rds;
    create(rds, "orders", "17").allocated_storage(45).backup_retention_period(0).send().await.unwrap();
    cloud.status_is("orders", "available").await;
    let valid = rds.describe_valid_db_instance_modifications().db_instance_identifier("orders").send().await.unwrap();
    let valid = valid.valid_db_instance_modifications_message().unwrap();
    let storage = |kind: &str| valid.storage().iter().find(|storage| storage.storage_type() == Some(kind)).unwrap();
    let sizes = |kind: &str| -> Vec<_> {
        storage(kind).storage_size().iter().map(|range| (range.from().unwrap(), range.to().unwrap())).collect()
    };
    assert_eq!((sizes("gp3"), sizes("io1")), (vec![(45, 45), (50, 65_536)], vec![(100, 65_536)]));
    let ratio = &storage("io1").iops_to_storage_ratio()[0];
    assert_eq!((ratio.from(), ratio.to()), (Some(0.5), Some(50.0)));
    let throughput = &storage("gp3").provisioned_storage_throughput()[0];
    assert_eq!((throughput.from(), throughput.to()), (Some(500), Some(4_000)));
    let grow = |size| rds.modify_db_instance().db_instance_identifier("orders").allocated_storage(size).send();
    assert_eq!(code(&grow(49).await.unwrap_err()), "InvalidParameterCombination");
    grow(50).await.unwrap();
    cloud.server.stop().await;
}
