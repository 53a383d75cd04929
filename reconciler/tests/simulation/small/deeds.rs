//! What people do in small worlds past the operator.

use reconciler::turns::Key;
use shared::api::labels::{CLUSTER_TAG, NAME_TAG, NAMESPACE_TAG, UID_TAG};
use shared::names::InstanceIdentifier;

use super::play::Deed;
use crate::console::{self, Console};
use crate::server::postgres::{Act, Deed as Sql};
use crate::world::{CLUSTER, World};

/// The instance is gone, and nobody asked the operator.
pub(crate) const LOSE: Deed =
    Deed { name: "the instance is lost", play: |world, object| console::play(world, object, Console::Lose) };
pub(crate) const SNAPSHOT: Deed = Deed {
    name: "somebody makes a snapshot of the instance",
    play: |world, object| console::play(world, object, Console::Snapshot),
};
pub(crate) const DROP_DATABASE: Deed = Deed {
    name: "somebody drops the database with the master's password",
    play: |world, object| {
        console::say(world, object, &Act::of_master(Sql::DropDatabase { name: "orders".to_owned() }));
    },
};
pub(crate) const MAKE_NAMESAKE: Deed = Deed { name: "somebody makes an instance of the object's name", play: namesake };
pub(crate) const DELETE_NAMESAKE: Deed = Deed {
    name: "that is deleted after a final snapshot",
    play: |world, object| {
        let id = identifier(object);
        refused(world.clouds[0].delete(&id, Some(&format!("{id}-final-of-a-namesake"))));
    },
};
pub(crate) const COPY_MARKS: Deed = Deed { name: "it has the marks of another cluster's", play: copy_marks };

fn namesake(world: &World, object: &Key) {
    refused(world.clouds[0].create(&identifier(object), "a-password-of-theirs"));
}

fn copy_marks(world: &World, object: &Key) {
    let marks = [
        (CLUSTER_TAG, "another"),
        (NAMESPACE_TAG, &object.namespace),
        (NAME_TAG, &object.name),
        (UID_TAG, "another-uid"),
    ];
    for (key, value) in marks {
        refused(world.clouds[0].tag(&identifier(object), key, value));
    }
}

fn identifier(object: &Key) -> String {
    InstanceIdentifier::derive(CLUSTER, &object.namespace, &object.name).to_string()
}

/// What is done before anything else is never refused.
fn refused(answer: Result<(), rds_model::ApiError>) {
    answer.expect("RDS lets it be done");
}
