//! What is refused.

use super::Example;
use super::Request::{Delete, Replace};
use crate::rules::Rule;

/// At least one example for each rule that refuses.
pub(super) const EXAMPLES: &[Example] = &[
    Example::create(Rule::WrongType, "spec: {users: [app, report]}"),
    Example::create(Rule::WrongType, "spec: {users: {app: createdb}}"),
    Example::create(Rule::WrongType, "spec: {users: {app: [1]}, databases: {orders: app}}"),
    Example::create(Rule::WrongType, "spec: {version: [15], masteruser: true, backup: daily}"),
    Example::create(Rule::WrongType, "spec: {deletionProtection: \"yes\", paused: 1}"),
    Example::create(Rule::WrongType, "spec: {storage: 100GB}"),
    Example::create(Rule::WrongType, "spec: a small database"),
    Example::create(Rule::WrongType, "spec: {storage: {iops: 500, throughput: \"600\"}}"),
    Example::create(Rule::UnknownField, "spec:\n  databses: {orders: []}\n  disk: 100GB\n  backup: {interval: 6h}"),
    Example::new(
        Rule::DefaultsMissing,
        Replace("spec: {version: \"15\", size: 100GB}", "spec: {version: \"15\", size: null}"),
    ),
    Example::create(
        Rule::TooManyEntries,
        "spec:\n  users:\n    app: [login, login, login, login, login, login, login, login, login, login, login, login, login, login, login]",
    ),
    Example::create(
        Rule::LongText,
        "spec:\n  className: >-\n    gold, but with four cores more for the weeks before Christmas, and without the copy in the other zone that\n    \
         nobody ever used; somebody from the shop said that the backups of it could be kept for a shorter time as well, which has to\n    \
         be asked again, see the minutes of the meeting in May",
    ),
    Example::create(
        Rule::MoreMistakes,
        "spec:\n  databases:\n    orders: [\n      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,\n      \
         0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,\n      \
         0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0\n    ]",
    )
    .besides(&[Rule::WrongType]),
    Example::create(Rule::MalformedObjectName, "metadata: {name: Orders}"),
    Example::create(Rule::MalformedObjectName, "metadata: {name: shop.orders}"),
    Example::create(Rule::MalformedObjectName, "metadata: {generateName: 2026-}"),
    Example::create(
        Rule::LongObjectName,
        "metadata: {name: a-name-of-sixty-characters-leaves-no-room-for-the-service-xx}",
    ),
    Example::create(
        Rule::LongObjectName,
        "metadata: {generateName: a-prefix-of-fifty-five-characters-leaves-no-room-either}",
    ),
    Example::create(Rule::UnknownEngine, "spec: {type: postgres}"),
    Example::create(Rule::UnknownEngine, "spec: {type: Oracle}"),
    Example::create(Rule::MalformedVersion, "spec: {version: latest}"),
    Example::create(Rule::MalformedVersion, "spec: {version: v15.4}"),
    Example::create(Rule::MalformedVersion, "spec: {type: MySQL, version: 16}"),
    Example::create(Rule::UnquotedVersion, "spec: {version: 15.4}"),
    Example::create(Rule::VersionNotOffered, "spec: {version: 11}"),
    Example::create(Rule::VersionNotOffered, "spec: {version: \"8.4\"}"),
    Example::create(Rule::VersionNotOffered, "spec: {type: MySQL, version: \"5.7\"}"),
    Example::create(Rule::MalformedSize, "spec: {size: 100}"),
    Example::create(Rule::MalformedSize, "spec: {size: 100 gb}"),
    Example::create(Rule::MalformedSize, "spec: {size: 20480Mi}"),
    Example::create(Rule::MalformedSize, "spec: {size: large}"),
    Example::create(Rule::ZeroSize, "spec: {size: 0GB}"),
    Example::create(Rule::SizeAboveMaximum, "spec: {size: 65Ti}"),
    Example::create(Rule::MalformedName, "spec:\n  users: {App: []}\n  databases: {my-orders: []}"),
    Example::create(Rule::MalformedName, "spec:\n  users: {\"16\": []}          # 0x10, as YAML reads it\n  databases: {\"12.1\": []}    # 12.10"),
    Example::create(Rule::MalformedName, "spec: {masteruser: \"\"}"),
    Example::create(
        Rule::LongName,
        "spec:\n  users: {a_user_whose_name_has_64_characters_and_that_is_one_more_than_63: []}",
    ),
    Example::create(
        Rule::LongName,
        "spec:\n  type: MySQL\n  users: {the_33_characters_of_a_mysql_user: []}",
    ),
    Example::create(Rule::ReservedName, "spec:\n  users: {master: [], public: [], select: []}"),
    Example::create(Rule::ReservedName, "spec:\n  users: {\"true\": []}        # yes, as YAML reads it"),
    Example::create(Rule::ReservedName, "spec:\n  users: {postgres: [], pg_app: [], rds_app: []}"),
    Example::create(Rule::ReservedName, "spec:\n  masteruser: admin\n  databases: {postgres: []}"),
    Example::create(
        Rule::ReservedName,
        "spec:\n  type: MySQL\n  users: {root: []}\n  databases: {mysql: []}",
    ),
    Example::create(Rule::MasterUserInUsers, "spec:\n  masteruser: boss\n  users: {boss: []}"),
    Example::create(Rule::MasterUserAsDatabase, "spec:\n  masteruser: boss\n  databases: {boss: []}"),
    Example::create(Rule::MasterUserAsMember, "spec:\n  databases: {orders: [sysadmin]}"),
    Example::create(Rule::UnknownRoleFlag, "spec:\n  users: {app: [create_db]}"),
    Example::create(Rule::RepeatedRoleFlag, "spec:\n  users: {app: [login, LOGIN]}"),
    Example::create(Rule::ContradictingRoleFlags, "spec:\n  users: {app: [login, nologin]}"),
    Example::create(
        Rule::UserNotDeclared,
        "spec:\n  users: {app: [], report: []}\n  databases: {orders: [app, repot]}",
    ),
    Example::create(Rule::UserNotDeclared, "spec:\n  databases: {orders: [app]}"),
    Example::create(Rule::UserIsNull, "spec:\n  users: {app: }\n  databases: {orders: [app]}"),
    Example::create(Rule::RepeatedMember, "spec:\n  users: {app: []}\n  databases: {orders: [app, app]}"),
    Example::create(Rule::MalformedDuration, "spec: {backup: {every: daily}}"),
    Example::create(Rule::MalformedDuration, "spec: {backup: {every: 6, retention: 7 days}}"),
    Example::create(Rule::DurationOutOfRange, "spec: {backup: {every: 5m, retention: 11000d}}"),
    Example::create(Rule::ZeroRetention, "spec: {backup: {retention: 0d}}"),
    Example::create(Rule::TooManyCopies, "spec: {backup: {retention: 90d}}"),
    Example::create(Rule::TooManyCopies, "spec: {backup: {every: 36h, retention: 35d}}"),
    Example::create(Rule::RetentionNotInDays, "spec: {backup: {retention: 36h}}"),
    Example::create(Rule::MalformedWindow, "spec: {backup: {window: 3am}, maintenanceWindow: Sun:04:00-Sun:05:00}"),
    Example::create(Rule::WindowLength, "spec: {backup: {window: \"03:00-03:15\"}, maintenanceWindow: sun:00:00-mon:12:00}"),
    Example::create(
        Rule::WindowsOverlap,
        "spec: {backup: {window: \"04:30-05:30\"}, maintenanceWindow: sun:04:00-sun:05:00}",
    ),
    Example::create(Rule::MalformedTag, "spec: {tags: {aws:team: shop, team: \"<shop>\"}}"),
    Example::create(Rule::MalformedParameter, "spec: {parameters: {work mem: 65536, search_path: \"\"}}"),
    Example::create(Rule::UnknownStorageType, "spec: {storage: {type: GP3}}"),
    Example::create(Rule::UnknownLifecycleSupport, "spec: {engineLifecycleSupport: disabled}"),
    Example::create(Rule::AutoscalingBelowSize, "spec: {size: 100Gi, storage: {autoscaling: {maxSize: 105Gi}}}"),
    Example::create(
        Rule::MalformedIdentifier,
        "spec: {restoreFrom: {snapshot: \"arn:aws:rds:eu-central-1:123456789012:snapshot:orders-before\"}}",
    ),
    Example::create(Rule::MalformedIdentifier, "spec: {adopt: Legacy_Orders}"),
    Example::create(Rule::MalformedTime, "spec: {restoreFrom: {pointInTime: {time: \"2026-03-29 10:15\"}}}"),
    Example::create(Rule::AmbiguousOrigin, "spec: {restoreFrom: {}}"),
    Example::create(Rule::AmbiguousOrigin, "spec: {restoreFrom: {snapshot: orders-before}, adopt: orders}"),
    Example::create(Rule::MalformedClassName, "spec: {className: Gold}"),
    Example::create(Rule::MalformedInstanceClass, "spec: {instanceClass: t4g.micro}"),
    Example::create(Rule::MalformedInstanceClass, "spec: {instanceClass: small}"),
    Example::create(Rule::UnknownDeletionPolicy, "spec: {deletionPolicy: delete}"),
    Example::create(Rule::UnknownDeletionPolicy, "spec: {deletionPolicy: Orphan}"),
    Example::update(
        Rule::AdoptionChanged,
        "spec: {adopt: legacy}\nstatus: {instance: {identifier: legacy, created: true}}",
        "spec: {adopt: another}",
    ),
    Example::update(Rule::EngineChanged, "spec: {}", "spec: {type: MySQL, version: \"8.4\"}"),
    Example::update(Rule::MasterUserChanged, "spec: {}", "spec: {masteruser: boss}"),
    Example::update(Rule::MajorUpgrade, "spec: {version: \"15\"}", "spec: {version: \"16\"}"),
    Example::update(Rule::VersionDowngrade, "spec: {version: \"15\"}", "spec: {version: \"14\"}"),
    Example::update(
        Rule::VersionDowngrade,
        "spec: {version: \"15\"}\nstatus: {engineVersion: \"16.4\"}",
        "spec: {version: \"16.3\"}",
    ),
    Example::update(
        Rule::SizeShrinks,
        "spec: {size: 100GB}\nstatus:\n  instance: {created: true}\n  allocatedStorageGiB: 94",
        "spec: {size: 50GB}",
    ),
    Example::update(
        Rule::RemovedByNull,
        "spec:\n  users: {app: []}\n  databases: {orders: []}",
        "spec:\n  users: {app: }\n  databases: {orders: }",
    ),
    Example::new(Rule::DeletionProtected, Delete("spec: {deletionProtection: true}")),
];
