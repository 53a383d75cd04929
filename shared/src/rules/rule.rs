//! The identity of every message: what a pipeline filters by and a person looks up.

use super::Reason;

/// How much a message weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The object is refused; Kubernetes is told this kind of mistake.
    Error(Reason),
    /// The object is admitted, and its author should know.
    Warning,
}

/// The enum, and what is known of each of its variants, from one table.
macro_rules! rules {
    ($($variant:ident = $id:literal, $severity:expr, $title:literal, $advice:literal;)*) => {
        /// Why something is refused or warned of. Its [`id`](Rule::id) outlives the wording of its messages.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = $title] $variant,)*
        }

        impl Rule {
            /// Every rule: those that refuse, then those that warn.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its stable name, such as `user-not-declared`.
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$variant => $id,)*
                }
            }

            /// Whether it refuses or warns.
            pub const fn severity(self) -> Severity {
                use Reason::{Duplicate, Forbidden, Invalid, NotSupported, Required, TooLong};
                use Severity::{Error, Warning};
                match self {
                    $(Self::$variant => $severity,)*
                }
            }

            /// What it is about: a sentence without its full stop.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$variant => $title,)*
                }
            }

            /// What is allowed, and what to do: one or two sentences.
            pub const fn advice(self) -> &'static str {
                match self {
                    $(Self::$variant => $advice,)*
                }
            }
        }
    };
}

rules! {
    WrongType = "wrong-type", Error(Invalid),
        "A value is of another type than its field, or a number outside its range",
        "Write what the message names. Texts that YAML would read as something else need quotes.";
    UnknownField = "unknown-field", Error(NotSupported),
        "A field does not exist",
        "Correct its name or remove it; the message lists the fields there are. Names of fields are case-sensitive.";
    DefaultsMissing = "defaults-missing", Error(Required),
        "A field is missing where its default should have been filled in",
        "Apply again, or write the field: the service that fills it in could not be reached for a moment.";
    TooManyEntries = "too-many-entries", Error(TooLong),
        "A map or list has more entries than are allowed",
        "At most 500 users, 500 databases, 500 users in each, 196608 bytes of users in all of them (15000 of ten letters), and 14 flags for a user. Divide \
         the object.";
    LongText = "long-text", Error(TooLong),
        "A text is longer than any value",
        "At most 253 characters; most fields take far fewer.";
    MoreMistakes = "more-mistakes", Error(Invalid),
        "There are more mistakes than are told one by one",
        "Correct those that are told, and apply again.";
    MalformedObjectName = "malformed-object-name", Error(Invalid),
        "The object cannot have this name",
        "Lower-case letters, digits and -, first a letter, last a letter or digit. No dots.";
    LongObjectName = "long-object-name", Error(TooLong),
        "The object's name is too long",
        "At most 59 characters, which leaves room for -rds in the name of its Service; 54 before a generated end.";
    UnknownEngine = "unknown-engine", Error(NotSupported),
        "The engine is not known",
        "Write type: Postgresql or type: MySQL; postgresql and mysql are known as well.";
    MalformedVersion = "malformed-version", Error(Invalid),
        "The version has another form than those of the engine",
        "Write a major version, or an exact one in quotes: 12 or \"12.22\" for PostgreSQL, \"8.4\" or \"8.4.3\" for MySQL.";
    UnquotedVersion = "unquoted-version", Error(Invalid),
        "The version is a number with a fraction",
        "Quote it: YAML reads 12.10 as the number 12.1.";
    VersionNotOffered = "version-not-offered", Error(NotSupported),
        "The version is not offered",
        "PostgreSQL 12 to 18, MySQL 8.0 and 8.4.";
    MalformedSize = "malformed-size", Error(Invalid),
        "The size is no number with a unit",
        "Write a number and its unit without a space: GB or TB (decimal), Gi or Ti (binary), such as 100GB or 93.5Gi.";
    ZeroSize = "zero-size", Error(Invalid),
        "The size is nothing",
        "Write at least 1GB. RDS allocates 20Gi or more.";
    SizeAboveMaximum = "size-above-maximum", Error(Invalid),
        "The size is larger than any volume",
        "The largest volume of RDS has 64Ti.";
    MalformedName = "malformed-name", Error(Invalid),
        "A user or database cannot have this name",
        "Lower-case letters, digits and _, first a letter, last a letter or digit.";
    LongName = "long-name", Error(TooLong),
        "The name of a user or database is too long",
        "At most 63 characters; users of MySQL 32.";
    ReservedName = "reserved-name", Error(Forbidden),
        "The name of a user or database is taken by the operator, by RDS, by the engine or by SQL",
        "Choose another name; the message says whose it is.";
    MasterUserInUsers = "master-user-in-users", Error(Forbidden),
        "The master user is one of the users",
        "Remove it from spec.users, or choose another spec.masteruser: the master user has a Secret of its own.";
    MasterUserAsDatabase = "master-user-as-database", Error(Forbidden),
        "A database has the name of the master user",
        "Choose another name for the database.";
    MasterUserAsMember = "master-user-as-member", Error(Forbidden),
        "The master user is listed as a user of a database",
        "Remove it from the list: it may work in every database anyway.";
    UnknownRoleFlag = "unknown-role-flag", Error(NotSupported),
        "A role flag does not exist",
        "superuser, createdb, createrole, inherit, login, replication, bypassrls, each perhaps with no before it.";
    RepeatedRoleFlag = "repeated-role-flag", Error(Duplicate),
        "A role flag is written twice",
        "Remove one of them.";
    ContradictingRoleFlags = "contradicting-role-flags", Error(Invalid),
        "Two role flags contradict each other",
        "Remove one of them.";
    UserNotDeclared = "user-not-declared", Error(Invalid),
        "A database is given to a user who is not in spec.users",
        "Add the user to spec.users, or correct the name.";
    UserIsNull = "user-is-null", Error(Invalid),
        "A database is given to a user whose entry in spec.users is null",
        "Write app: [] for a user without flags: null means absent.";
    RepeatedMember = "repeated-member", Error(Duplicate),
        "A user is listed twice for one database",
        "Remove one of them.";
    MalformedDuration = "malformed-duration", Error(Invalid),
        "A duration is no whole number with a unit",
        "Write a whole number and one of m, h, d, w, such as 30m, 6h, 7d or 2w.";
    DurationOutOfRange = "duration-out-of-range", Error(Invalid),
        "A duration is too short or too long",
        "Backups are 30m to 365d apart, and are kept for 1d to 3650d.";
    ZeroRetention = "zero-retention", Error(Invalid),
        "Backups would be kept for no time at all",
        "Write 1d to 3650d: without backups there is no way back to a moment before a mistake.";
    RetentionNotInDays = "retention-not-in-days", Error(Invalid),
        "Backups would be kept for a part of a day",
        "Write whole days: 1d to 3650d, or 48h.";
    TooManyCopies = "too-many-copies", Error(Invalid),
        "More copies would be kept of one database than 20",
        "Make fewer of them (every), or keep them for less time (retention). Up to 35d, with every: 24h, none are needed: automated backups reach every \
         moment.";
    MalformedWindow = "malformed-window", Error(Invalid),
        "A window is no time of the day or of the week",
        "Write UTC: 03:00-04:00 for backups, sun:04:00-sun:05:00 for maintenance.";
    WindowLength = "window-length", Error(Invalid),
        "A window is too short or too long",
        "Windows have 30 minutes or more; one for maintenance less than a day.";
    WindowsOverlap = "windows-overlap", Error(Invalid),
        "The windows for backups and for maintenance overlap",
        "Move one of them: RDS takes no two windows with a minute in common.";
    MalformedTag = "malformed-tag", Error(Invalid),
        "A tag has a key or a value that AWS does not take, or that is not an application's",
        "Keys have up to 128 characters, values up to 256: letters, digits, spaces and _ . : / = + - @. Keys do not begin with aws:, rds: or matrixmind.cloud/.";
    MalformedParameter = "malformed-parameter", Error(Invalid),
        "A parameter has a name or a value that none can have",
        "Names have letters, digits, `_`, `.` and `-`; values 1 to 256 characters on one line. Which parameters there are, and what each may be, \
         the condition ParametersApplied says.";
    UnknownStorageType = "unknown-storage-type", Error(NotSupported),
        "The storage type does not exist",
        "gp3, gp2, io1 or io2.";
    UnknownLifecycleSupport = "unknown-lifecycle-support", Error(NotSupported),
        "How the support of the version ends is none of RDS's words",
        "open-source-rds-extended-support or open-source-rds-extended-support-disabled.";
    AutoscalingBelowSize = "autoscaling-below-size", Error(Invalid),
        "The storage could not grow by itself as far as its least step",
        "Write a maxSize that is at least a tenth larger than the size, or leave autoscaling out.";
    MalformedIdentifier = "malformed-identifier", Error(Invalid),
        "No snapshot or instance can have this name",
        "Write the name alone, never an ARN or a resource id: letters, digits and single hyphens, first a letter.";
    MalformedTime = "malformed-time", Error(Invalid),
        "A moment is not written as date, time and offset from UTC",
        "Write it as in 2026-03-29T10:15:00Z or 2026-03-29T12:15:00+02:00.";
    AmbiguousOrigin = "ambiguous-origin", Error(Invalid),
        "It is not one thing that the instance is made of",
        "Write one of restoreFrom.snapshot, restoreFrom.pointInTime and adopt.";
    MalformedClassName = "malformed-class-name", Error(Invalid),
        "No RDSDatabaseClass can have this name",
        "Lower-case letters, digits, - and . as for any Kubernetes object; kubectl get rdsdatabaseclasses lists those there are.";
    MalformedInstanceClass = "malformed-instance-class", Error(Invalid),
        "The instance class has another form than those of RDS",
        "Write db., a family and a size, such as db.t4g.micro.";
    UnknownDeletionPolicy = "unknown-deletion-policy", Error(NotSupported),
        "The deletion policy does not exist",
        "Snapshot, Retain or Delete.";
    AdoptionChanged = "adoption-changed", Error(Forbidden),
        "An object would take over another instance than its own",
        "Leave it as it is, or make a new object for the other instance.";
    EngineChanged = "engine-changed", Error(Forbidden),
        "The engine of a database would change",
        "Make a new object of the other engine, and move the data.";
    MasterUserChanged = "master-user-changed", Error(Forbidden),
        "The master user would change",
        "Leave it as it is: RDS cannot rename it. Only the one that the instance has, after a restore, can be written.";
    MajorUpgrade = "major-upgrade", Error(Forbidden),
        "The major version would rise, and nothing allows it",
        "Try the new version on a copy first (spec.restoreFrom makes one), then write spec.allowMajorVersionUpgrade: true beside it.";
    VersionDowngrade = "version-downgrade", Error(Forbidden),
        "The version would go back",
        "Leave it as it is. For an older version make a new object, and move the data.";
    SizeShrinks = "size-shrinks", Error(Forbidden),
        "The volume would shrink",
        "Write the size that is allocated; the message says it. For less make a new object, and move the data.";
    RemovedByNull = "removed-by-null", Error(Invalid),
        "An entry that lost its value would remove a user or database",
        "Write [] after the name to keep it, or remove the whole line to remove it.";
    DeletionProtected = "deletion-protected", Error(Forbidden),
        "The object is protected from deletion",
        "Set spec.deletionProtection to false first, and only if the database is to go.";

    EngineNotBuilt = "engine-not-built", Warning,
        "Nothing is created for this engine yet",
        "Use Postgresql.";
    ExtendedSupport = "extended-support", Warning,
        "The version is in paid Extended Support",
        "Choose a newer major version. AWS bills Extended Support for each vCPU and hour, and raises the fee in its third year, a year before it ends. \
         With spec.engineLifecycleSupport an instance can be kept out of it before its standard support ends.";
    SupportDeclined = "support-declined", Warning,
        "The version is past its standard support, and Extended Support is disabled",
        "Choose a newer major version, or open-source-rds-extended-support. RDS creates no such instance, and upgrades one that runs or is restored to a \
         later major version by itself: an outage that cannot be taken back.";
    SupportEnded = "support-ended", Warning,
        "The version is not supported any more",
        "Choose a newer major version: AWS may upgrade this one by force.";
    RoleNotKept = "role-not-kept", Warning,
        "What plain users create may not be shared in this minor version",
        "Write the minor version that the message names or a newer one, or the major version alone. Before it, sessions lose the role by which users \
         share what they create at DISCARD ALL, which connection poolers send between clients; in the version just before, no session has it.";
    SizeBelowMinimum = "size-below-minimum", Warning,
        "The size is below the smallest volume",
        "Nothing has to be done: the smallest volume is allocated, and billed.";
    GrowthRoundedUp = "growth-rounded-up", Warning,
        "The volume grows by more than was asked for",
        "Nothing has to be done: RDS grows volumes by at least 10 %.";
    IrreversibleGrowth = "irreversible-growth", Warning,
        "The volume grows for good",
        "Be sure of the size: RDS cannot shrink a volume, and takes no other growth for six hours.";
    DearerStorage = "dearer-storage", Warning,
        "More storage is billed",
        "Be sure of the size: what is allocated is billed, used or not.";
    OriginTooLate = "origin-too-late", Warning,
        "It is read when an instance is made, and there is one already",
        "To restore beside it, make a new object; to restore in its place, delete this object first and create it again.";
    IrreversibleUpgrade = "irreversible-upgrade", Warning,
        "The version rises for good",
        "Try the version elsewhere first: RDS cannot go back to an older one.";
    UpgradeOutage = "upgrade-outage", Warning,
        "An upgrade is an outage",
        "It waits for the maintenance window, unless spec.applyImmediately is true.";
    InstanceClassOutage = "instance-class-outage", Warning,
        "Another instance class is an outage",
        "It waits for the maintenance window, unless spec.applyImmediately is true.";
    ParametersOutage = "parameters-outage", Warning,
        "Other parameters take a restart of the server, which is an outage",
        "It waits for the maintenance window, unless spec.applyImmediately is true.";
    AppliedImmediately = "applied-immediately", Warning,
        "What waits for the maintenance window is made at once",
        "status shows what waits. Remove spec.applyImmediately when it is done: later changes wait again.";
    DearerStandby = "dearer-standby", Warning,
        "A standby is billed",
        "Compare the rates: with a standby, instance and storage cost twice as much.";
    DearerSupport = "dearer-support", Warning,
        "Extended Support is billed when the standard support of the version has ended",
        "Upgrade before that day, or leave Extended Support disabled: then RDS upgrades by itself.";
    DearerInstance = "dearer-instance", Warning,
        "The instance is billed at another rate",
        "Compare the rates of both instance classes.";
    DearerBackups = "dearer-backups", Warning,
        "Backups are kept longer, and more of them are billed",
        "Be sure of the retention: what backups take beyond the size of the volume is billed.";
    BackupsDiscarded = "backups-discarded", Warning,
        "Automated backups are discarded",
        "Copy those that are still needed first: RDS deletes what is older than the retention.";
    SuperuserMapped = "superuser-mapped", Warning,
        "superuser is rds_superuser, and the master user's equal",
        "Give it only to whom you would give the master user's password: RDS has no other superuser, and this one reaches every database of the \
         instance and can end whatever the operator guards.";
    ReplicationMapped = "replication-mapped", Warning,
        "replication is rds_replication",
        "Nothing has to be done: RDS grants replication as a role.";
    WideCreaterole = "wide-createrole", Warning,
        "createrole is the master user's equal before PostgreSQL 16",
        "Use version 16 or newer, or do without the flag: such a user can alter the master user, join any role and grant itself rds_superuser.";
    BypassrlsUncertain = "bypassrls-uncertain", Warning,
        "bypassrls may not be granted",
        "See the condition DatabasesReady; do without the flag where RDS refuses it.";
    BackupCopies = "backup-copies", Warning,
        "Copies are kept beside the automated backups, and are billed",
        "Automated backups reach every moment of up to 35 days: write every: 24h and a retention of at most 35d where that is enough.";
    CopiesStay = "copies-stay", Warning,
        "Copies that were kept are nobody's to delete any more",
        "Delete those that nobody needs by hand: status.backups had their number, and their names hold -kept-.";
    RetentionBelowInterval = "retention-below-interval", Warning,
        "Copies are kept for less time than lies between two of them",
        "Keep them longer, or make them more often: the last one outlives its time until the next one is there.";
    NoFinalSnapshot = "no-final-snapshot", Warning,
        "The data goes with the object",
        "Use deletionPolicy: Snapshot, unless the data is not worth keeping.";
    NullEntry = "null-entry", Warning,
        "An entry means nothing because it is null",
        "Write [] after the name, or remove the line.";
    ValueKept = "value-kept", Warning,
        "A field that left the manifest keeps its value",
        "Write the field to change it. To remove all users, write users: {}.";
    UserRemoved = "user-removed", Warning,
        "A user that left the manifest is removed",
        "Write it again to keep it: one manifest holds all users, also those that others added to the object. What it created stays in its databases.";
    DatabaseKept = "database-kept", Warning,
        "A database that left the manifest is kept",
        "Drop it by SQL if its data is not worth keeping: the operator never does.";
    UnchangedMistake = "unchanged-mistake", Warning,
        "A mistake that was there before is still there",
        "Correct it: until then the reconciler does not work on the object or, where it is only too large, may have to shorten its status.";
}

impl Rule {
    /// The kind of mistake for Kubernetes. A rule that only warns is never asked.
    pub const fn reason(self) -> Reason {
        match self.severity() {
            Severity::Error(reason) => reason,
            Severity::Warning => Reason::Invalid,
        }
    }

    /// The rule of an id.
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.id() == id)
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::reader::TEXT_LIMIT;
    use super::super::{ENTRY_LIMIT, Engine, Gibibytes, LISTED_LIMIT, OBJECT_NAME_LIMIT, RoleFlags, lifecycle};
    use super::*;

    #[test]
    fn ids_are_words_and_name_one_rule_each() {
        let ids: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.id()).collect();
        assert_eq!(ids.len(), Rule::ALL.len());
        for rule in Rule::ALL {
            let id = rule.id();
            assert!(id.split('-').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase())), "{id}");
            assert_eq!(Rule::of_id(id), Some(*rule));
        }
    }

    #[test]
    fn advice_names_the_limits_that_hold() {
        let says = |rule: Rule, what: &str| assert!(rule.advice().contains(what), "{rule} says nothing of {what}");
        says(Rule::TooManyEntries, &format!("{ENTRY_LIMIT} users"));
        says(Rule::TooManyEntries, &format!("{LISTED_LIMIT} bytes"));
        says(Rule::TooManyEntries, &format!("{} flags", 2 * RoleFlags::WORDS.len()));
        says(Rule::LongText, &TEXT_LIMIT.to_string());
        says(Rule::LongObjectName, &OBJECT_NAME_LIMIT.to_string());
        says(Rule::SizeAboveMaximum, &format!("{}Ti", Gibibytes::LARGEST.get() >> 10));
        for engine in Engine::ALL {
            let offered: Vec<_> = lifecycle::offered(engine).collect();
            for end in [offered.first(), offered.last()].into_iter().flatten() {
                says(Rule::VersionNotOffered, &end.to_string());
            }
        }
        for word in RoleFlags::WORDS {
            says(Rule::UnknownRoleFlag, word);
        }
    }

    #[test]
    fn what_refuses_comes_first_and_everything_is_explained() {
        assert!(Rule::ALL.is_sorted_by_key(|rule| rule.severity() == Severity::Warning));
        for rule in Rule::ALL {
            assert!(!rule.title().ends_with('.') && rule.advice().ends_with('.'), "{rule}");
        }
    }
}
