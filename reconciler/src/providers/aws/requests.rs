//! Requests as calls. Each is sent once, and every part of it is: nothing is left out by `..`.

use std::collections::BTreeMap;

use aws_sdk_rds::primitives::DateTime;
use aws_sdk_rds::types::{ApplyMethod, Parameter, Tag, TagSpecification};

use super::client::Aws;
use super::convert::engine_name;
use super::errors::cloud_error;
use super::{marks, parameters, settings};
use crate::providers::error::CloudError;
use crate::providers::owner::Owner;
use crate::providers::request::{
    Create, CreateGroup, Delete, DeleteGroup, DeleteSnapshot, FillGroup, MarkInstance, MasterPassword, Modify, Origin,
    Reboot, Request, ResetMaster, Restore, TakeSnapshot,
};

pub(super) async fn carry_out(aws: &Aws, request: &Request) -> Result<(), CloudError> {
    match request {
        Request::Create(request) => create(aws, request).await,
        Request::Restore(request) => restore(aws, request).await,
        Request::Modify(request) => modify(aws, request).await,
        Request::ResetMaster(request) => reset_master(aws, request).await,
        Request::Mark(request) => mark(aws, request).await,
        Request::Snapshot(request) => snapshot(aws, request).await,
        Request::DeleteSnapshot(request) => delete_snapshot(aws, request).await,
        Request::Delete(request) => delete(aws, request).await,
        Request::Reboot(request) => reboot(aws, request).await,
        Request::CreateGroup(request) => create_group(aws, request).await,
        Request::FillGroup(request) => fill_group(aws, request).await,
        Request::DeleteGroup(request) => delete_group(aws, request).await,
    }
}

async fn create(aws: &Aws, request: &Create) -> Result<(), CloudError> {
    let Create { identifier, engine, settings, master_user, master_password, owner, tags } = request;
    let MasterPassword { secret: _, password } = master_password;
    let action = "CreateDBInstance";
    let call = settings::create(aws.rds.create_db_instance(), settings)
        .db_instance_identifier(identifier)
        .engine(engine_name(*engine))
        .master_username(master_user)
        .master_user_password(password.expose())
        .storage_encrypted(true)
        .publicly_accessible(false)
        .copy_tags_to_snapshot(true)
        .tag_specifications(of_backups(owner, tags))
        .set_tags(Some(tags_of(owner, tags)));
    aws.change(action, async { call.send().await.map(drop).map_err(|e| cloud_error(action, &e)) }).await
}

async fn restore(aws: &Aws, request: &Restore) -> Result<(), CloudError> {
    let Restore { identifier, origin, settings, owner, tags } = request;
    // Without tags of its own it would carry those of whose data it is made.
    let (backups, tags) = (of_backups(owner, tags), Some(tags_of(owner, tags)));
    match origin {
        Origin::Snapshot(snapshot) => {
            let action = "RestoreDBInstanceFromDBSnapshot";
            let call = settings::restore_snapshot(aws.rds.restore_db_instance_from_db_snapshot(), settings)
                .db_instance_identifier(identifier)
                .db_snapshot_identifier(snapshot)
                .publicly_accessible(false)
                .copy_tags_to_snapshot(true)
                .tag_specifications(backups)
                .set_tags(tags);
            aws.change(action, async { call.send().await.map(drop).map_err(|e| cloud_error(action, &e)) }).await
        }
        Origin::PointInTime { resource_id, time } => {
            let action = "RestoreDBInstanceToPointInTime";
            let time = time
                .map(|time| DateTime::from_secs_and_nanos(time.as_second(), time.subsec_nanosecond().unsigned_abs()));
            let call = settings::restore_moment(aws.rds.restore_db_instance_to_point_in_time(), settings)
                .target_db_instance_identifier(identifier)
                .source_dbi_resource_id(resource_id)
                .set_use_latest_restorable_time(time.is_none().then_some(true))
                .set_restore_time(time)
                .publicly_accessible(false)
                .copy_tags_to_snapshot(true)
                .tag_specifications(backups)
                .set_tags(tags);
            aws.change(action, async { call.send().await.map(drop).map_err(|e| cloud_error(action, &e)) }).await
        }
    }
}

async fn modify(aws: &Aws, request: &Modify) -> Result<(), CloudError> {
    let Modify { identifier, change, at_once, major } = request;
    let action = "ModifyDBInstance";
    let call = settings::modify(aws.rds.modify_db_instance(), change)
        .db_instance_identifier(identifier)
        .set_allow_major_version_upgrade(major.then_some(true))
        .apply_immediately(*at_once);
    aws.change(action, async { call.send().await.map(drop).map_err(|e| cloud_error(action, &e)) }).await
}

async fn reset_master(aws: &Aws, request: &ResetMaster) -> Result<(), CloudError> {
    let ResetMaster { identifier, master_password: MasterPassword { secret: _, password } } = request;
    let action = "ModifyDBInstance";
    let call = aws
        .rds
        .modify_db_instance()
        .db_instance_identifier(identifier)
        .master_user_password(password.expose())
        // It is applied at once all the same, and leaves alone what waits for the maintenance window.
        .apply_immediately(false);
    aws.change(action, async { call.send().await.map(drop).map_err(|e| cloud_error(action, &e)) }).await
}

async fn mark(aws: &Aws, request: &MarkInstance) -> Result<(), CloudError> {
    let MarkInstance { resource, owner, retained, tags } = request;
    let mut tags = tags.clone();
    tags.extend(owner.iter().flat_map(marks::tags));
    tags.extend(retained.map(marks::retained));
    let action = "AddTagsToResource";
    let call = aws.rds.add_tags_to_resource().resource_name(resource).set_tags(Some(sdk_tags(&tags)));
    aws.change(action, async { call.send().await.map(drop).map_err(|e| cloud_error(action, &e)) }).await
}

async fn snapshot(aws: &Aws, request: &TakeSnapshot) -> Result<(), CloudError> {
    let TakeSnapshot { identifier, snapshot, kept, owner, tags } = request;
    let mut tags = tags.clone();
    tags.extend(kept.then(marks::kept));
    let action = "CreateDBSnapshot";
    let call = aws
        .rds
        .create_db_snapshot()
        .db_instance_identifier(identifier)
        .db_snapshot_identifier(snapshot)
        .set_tags(Some(tags_of(owner, &tags)));
    aws.change(action, async { call.send().await.map(drop).map_err(|e| cloud_error(action, &e)) }).await
}

async fn delete_snapshot(aws: &Aws, request: &DeleteSnapshot) -> Result<(), CloudError> {
    let DeleteSnapshot { snapshot } = request;
    let action = "DeleteDBSnapshot";
    let call = aws.rds.delete_db_snapshot().db_snapshot_identifier(snapshot);
    aws.change(action, async { call.send().await.map(drop).map_err(|e| cloud_error(action, &e)) }).await
}

async fn delete(aws: &Aws, request: &Delete) -> Result<(), CloudError> {
    let Delete { identifier, final_snapshot, delete_automated_backups } = request;
    let action = "DeleteDBInstance";
    let call = aws
        .rds
        .delete_db_instance()
        .db_instance_identifier(identifier)
        .skip_final_snapshot(final_snapshot.is_none())
        .set_final_db_snapshot_identifier(final_snapshot.clone())
        .delete_automated_backups(*delete_automated_backups);
    aws.change(action, async { call.send().await.map(drop).map_err(|e| cloud_error(action, &e)) }).await
}

async fn reboot(aws: &Aws, request: &Reboot) -> Result<(), CloudError> {
    // The group is why, and has its name already.
    let Reboot { identifier, group: _ } = request;
    let action = "RebootDBInstance";
    let call = aws.rds.reboot_db_instance().db_instance_identifier(identifier);
    aws.change(action, async { call.send().await.map(drop).map_err(|e| cloud_error(action, &e)) }).await
}

async fn create_group(aws: &Aws, request: &CreateGroup) -> Result<(), CloudError> {
    let CreateGroup { name, family, cluster } = request;
    let action = "CreateDBParameterGroup";
    let call = aws
        .rds
        .create_db_parameter_group()
        .db_parameter_group_name(name)
        .db_parameter_group_family(family)
        .description(parameters::DESCRIPTION)
        .set_tags(Some(sdk_tags(&marks::shared(cluster))));
    aws.change(action, async { call.send().await.map(drop).map_err(|e| cloud_error(action, &e)) }).await
}

async fn fill_group(aws: &Aws, request: &FillGroup) -> Result<(), CloudError> {
    let FillGroup { name, values } = request;
    let action = "ModifyDBParameterGroup";
    // Nothing runs with it yet: what a static one needs does for all.
    let value = |(name, value): (&String, &String)| {
        Parameter::builder()
            .parameter_name(name)
            .parameter_value(value)
            .apply_method(ApplyMethod::PendingReboot)
            .build()
    };
    let call = aws
        .rds
        .modify_db_parameter_group()
        .db_parameter_group_name(name)
        .set_parameters(Some(values.iter().map(value).collect()));
    aws.change(action, async { call.send().await.map(drop).map_err(|e| cloud_error(action, &e)) }).await
}

async fn delete_group(aws: &Aws, request: &DeleteGroup) -> Result<(), CloudError> {
    let DeleteGroup { name } = request;
    let action = "DeleteDBParameterGroup";
    let call = aws.rds.delete_db_parameter_group().db_parameter_group_name(name);
    aws.change(action, async { call.send().await.map(drop).map_err(|e| cloud_error(action, &e)) }).await
}

/// The marks of ownership lie over the platform's tags.
fn tags_of(owner: &Owner, tags: &BTreeMap<String, String>) -> Vec<Tag> {
    let mut tags = tags.clone();
    tags.extend(marks::tags(owner));
    sdk_tags(&tags)
}

/// The tags of the automated backups, which do not have those of their instance: by these they are known when it is gone.
///
/// Source: RDS API, TagSpecification.
fn of_backups(owner: &Owner, tags: &BTreeMap<String, String>) -> TagSpecification {
    TagSpecification::builder().resource_type("auto-backup").set_tags(Some(tags_of(owner, tags))).build()
}

fn sdk_tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
