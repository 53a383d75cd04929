//! Why a condition says what it says, and what an Event is about: a closed set, with what each means, what to do, and who does it.

pub(super) mod page;

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Who can change a state that lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Acts {
    /// Whoever wrote the object, or owns its data.
    User,
    /// Whoever runs the operator: accounts, rights, classes, networks.
    Platform,
    /// Nobody needs to: it is as it should be, passes by itself, or the operator is at it.
    Nobody,
}

impl Acts {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::User, Self::Platform, Self::Nobody];

    /// The word of metrics and of the page.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Platform => "platform",
            Self::Nobody => "nobody",
        }
    }
}

/// Where people meet a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a condition; where it is blocked, in a Warning Event as well.
    Condition,
    /// In Events alone.
    Event,
}

/// The enum, and what is known of each of its variants, from one table.
macro_rules! reasons {
    ($($place:ident { $($variant:ident = $acts:ident, $meaning:literal, $remedy:literal;)* })*) => {
        /// The reason of a condition or an Event. Its name is a part of the API: people, alerts and GitOps tools go by it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[doc = $meaning] $variant,)*)*
        }

        impl Reason {
            /// Every reason, in the order of the page.
            pub const ALL: &'static [Self] = &[$($(Self::$variant,)*)*];

            /// Its name, as a condition and an Event have it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($(Self::$variant => stringify!($variant),)*)*
                }
            }

            /// Where people meet it.
            pub const fn place(self) -> Place {
                match self {
                    $($(Self::$variant => Place::$place,)*)*
                }
            }

            /// Who can change it.
            pub const fn acts(self) -> Acts {
                match self {
                    $($(Self::$variant => Acts::$acts,)*)*
                }
            }

            /// What it means: a sentence without its full stop, and in the middle of another one.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $($(Self::$variant => $meaning,)*)*
                }
            }

            /// What to do: one or two sentences; empty where there is nothing to do.
            pub(crate) const fn remedy(self) -> &'static str {
                match self {
                    $($(Self::$variant => $remedy,)*)*
                }
            }
        }
    };
}

reasons! {
    Condition {
        Ready = Nobody, "the database, its users, Secrets and Services are there, and every login works", "";
        Done = Nobody, "this part of the object is as it should be", "";

        InvalidSpec = User, "the spec breaks rules, and the webhook was away when it was applied or the rules became stricter",
            "Correct the fields that the message names; docs/messages.md has an example of each. What was made before goes on.";
        Undecodable = User, "the object cannot be read at all: a field has another type than it should have",
            "Correct the fields that the message names.";
        EngineNotSupported = User, "the engine is admitted but not built yet, so nothing is created",
            "Use type: Postgresql.";
        ClassRequired = User, "the object names no RDSDatabaseClass, none is marked as the default one, and this operator asks for one",
            "Name a class in spec.className, or ask the platform team for a default one.";
        ClassNotFound = User, "there is no RDSDatabaseClass of the name that the object says",
            "Correct spec.className, or create the class: the object goes on by itself.";
        ClassNotPermitted = User, "the class does not permit what the object asks for",
            "Ask for what the message says is permitted, or ask the platform team to widen the class.";
        ClassGone = Platform, "the RDSDatabaseClass that the database was made with is gone",
            "Create it again with the same region and role: without it nothing leads to the instance. An object on its way out also goes with \
             deletionPolicy: Retain, which leaves the instance.";
        ClassUnreadable = Platform, "the RDSDatabaseClass is there and cannot be read",
            "Correct the class.";
        SeveralDefaults = Platform, "several classes are marked as the default one",
            "Take the annotation from all but one. Until then objects that name none get the first by name.";
        Paused = User, "spec.paused is true, so nothing is done",
            "Set spec.paused to false, or remove it, when the maintenance is over. The conditions say what would be done.";
        NotScheduled = User, "more copies are asked for than are kept of one database, so none is made",
            "Write a longer spec.backup.every or a shorter spec.backup.retention, as the message says. It takes nothing from Ready.";
        StatusTooLarge = User, "Kubernetes cannot store the object with its whole status, so users and databases are counted and not listed",
            "Give some of the users and databases to another object.";

        AddingFinalizer = Nobody, "the finalizer is being set, before anything is made", "";
        Pinning = Nobody, "account, region and class are being written into the status, before anything is made", "";
        WritingSecrets = Nobody, "Secrets are being written", "";
        RenewingSecrets = Nobody, "the Secrets work, and get what a newer operator or another CA bundle says, one object after the other", "";
        Creating = Nobody, "the instance is being asked for", "";
        Restoring = Nobody, "the instance is being asked for, with the data of a backup", "";
        WaitingForBackup = Nobody, "the backup that the object is to be made of is not complete yet", "";
        NotSeenYet = Nobody, "the cloud says that it is there already, most often because it was asked for a moment ago", "";
        InstanceNotReady = Nobody, "the instance is not available yet", "";
        WaitingForInstance = Nobody, "this part follows when the instance is available", "";
        WaitingForSecret = Nobody, "the Secret of the master user must hold a password first",
            "See the condition SecretsReady where it lasts.";
        WaitingForSecrets = Nobody, "the Secret of every user must hold a password first",
            "See the condition SecretsReady where it lasts.";
        WaitingForDatabases = Nobody, "logins are tried when users and databases are there", "";
        VisitingDatabase = Nobody, "users and databases are being looked at or changed", "";
        CreatingService = Nobody, "the Service is being created", "";
        UpdatingService = Nobody, "the Service is being pointed to the endpoint", "";
        Modifying = Nobody, "a change is being asked for", "";
        ChangeAccepted = Nobody, "the cloud has accepted a change and does not show it yet", "";
        WaitingForWindow = Nobody, "a change waits for the maintenance window, and takes nothing from Ready",
            "Wait for the window that the message names, or set spec.applyImmediately: true to have it at once, with its outage.";
        WithdrawalAppliesOthers = User, "a change that waits is wanted no more, and taking it back would apply what else waits",
            "Wait for the maintenance window, or set spec.applyImmediately: true to have all of it at once, as the message says.";
        PreparingParameters = Nobody, "a parameter group is being made ready, before an instance gets it", "";
        Restarting = Nobody, "the server is being restarted, an outage, so that it takes up its parameters", "";
        ParametersUnderWay = Nobody, "the server is being given its parameters", "";
        Growing = Nobody, "a change of the storage is under way", "";
        TakingSnapshot = Nobody, "a snapshot is made before an upgrade to another major version",
            "Large ones take hours. The upgrade follows when it is available.";
        KeepingCopy = Nobody, "a copy of the database is being made, to be kept beside the automated backups",
            "It takes nothing from Ready.";
        PruningCopy = Nobody, "a copy has been kept for as long as the spec says, newer ones are there, and it is deleted", "";
        StorageCooldown = Nobody, "the cloud allows no change of storage so soon after the last", "";
        InstanceBusy = Nobody, "the cloud takes no change while the instance is in this state", "";
        Tagging = Nobody, "tags of the class are being put on the instance", "";
        TakingUp = Nobody, "the accepted instance is being marked as this object's", "";
        MasterPasswordRefused = Nobody, "the server refuses the master user's password, and is given the one in the Secret as soon as the cloud takes a change", "";
        ResettingMasterPassword = Nobody, "the server is being given the master user's password that the Secret holds", "";
        DatabaseBusy = Nobody, "something inside the database is in the way for now", "";
        DatabaseTimeout = Nobody, "the database has not answered in time",
            "Where it lasts, see what keeps the server busy.";
        NamespaceTerminating = Nobody, "the namespace is being deleted, so nothing is made in it", "";

        InstanceLost = User, "the instance was deleted outside the cluster; no empty one takes its place unasked",
            "Restore it under the same name, with its tags, and annotate the object with matrixmind.cloud/accept-instance=<its resource id>; or annotate \
             it with matrixmind.cloud/recreate-lost-instance=<the lost one's resource id> for a new one: empty, or of what spec.restoreFrom names.";
        InstanceReplaced = User, "another instance has the name of this object's",
            "If it is the restored one, or the new one of a blue/green deployment, annotate the object with \
             matrixmind.cloud/accept-instance=<its resource id>.";
        InstanceOfPredecessor = User, "an earlier object of this name left its instance, with its data",
            "Annotate the object with matrixmind.cloud/accept-instance=<its resource id> to take it up, or rename the object. Do not delete the instance \
             unseen.";
        InstanceNotOurs = User, "an instance of that name belongs to somebody else, so it is left alone",
            "Rename the object; or, where that is wrong, give the instance back its tags.";
        InstanceDeleting = Nobody, "the instance is being deleted, and nothing of this operator asked for it",
            "See in the cloud's audit log who did. When it is gone, the object says InstanceLost.";
        InstanceRenamed = Platform, "somebody renamed the instance",
            "Give it back the name that the message has.";
        TagsMissing = Platform, "the instance has lost the tags by which it is known as this object's",
            "Give them back with the command in the message.";
        InstanceStuck = Platform, "the state of the instance does not pass by itself",
            "The message says what ends it. For storage-full that is a larger spec.size.";
        OtherAccount = Platform, "the operator's access leads to another account than the one where the database lives",
            "Give the operator, or the class, back its access.";
        OtherRegion = Platform, "the operator's access leads to another region than the one where the database lives",
            "Give the operator, or the class, back its region.";
        EndpointNotTrusted = Platform, "the endpoint of the instance is in none of the domains that are trusted",
            "Start the operator with an --endpoint-suffix that fits, if the endpoint is what it should be.";
        RefusedByCloud = User, "the cloud refuses what the object or its class asks for",
            "The message has the cloud's words: correct the spec, or ask the platform team to correct the class. It is tried again now and then.";
        NotAuthorized = Platform, "the cloud does not let the operator do it",
            "Compare its rights with those that the manifests ask for, and see that its credentials are valid.";
        QuotaOrCapacityExhausted = Platform, "a quota of the account, or the cloud's capacity, is exhausted",
            "Ask the cloud's provider for more, or choose another instance class. It is tried again now and then.";
        SnapshotQuotaNearlyFull = Platform, "the account has hardly room for another manual snapshot, so no copy is made; those that are there stay",
            "Delete snapshots that nobody needs, or ask the cloud's provider for a higher quota. It takes nothing from Ready.";
        CopyFailed = Platform, "the copies that were made for one moment have failed, one after the other",
            "See the instance's events. The next one is tried when its time has come. It takes nothing from Ready.";
        BackupsBehind = Platform, "the newest moment that automated backups reach is long ago, though the instance is available",
            "See the instance's events, and ask the cloud's provider where it lasts. It takes nothing from Ready.";
        CloudUnavailable = Platform, "the cloud cannot be asked, or does not answer",
            "It is tried again. Where it lasts, the message says what is missing: credentials, a region, a way to the endpoint.";
        ChangeHasNoEffect = Platform, "the cloud has accepted a change several times and never made it",
            "Look at the instance's events. It is sent again when the spec changes.";
        NotOffered = User, "the cloud does not offer what the spec asks for, so it is not asked",
            "Ask for what the message says is offered. An instance that runs goes on as it is.";
        ParameterGroupNotOurs = Platform, "a parameter group of that name is not this operator's, or somebody changed it, so no instance gets it",
            "Delete the group, or give it back what the message names: the object goes on by itself.";
        ParametersNotApplied = User, "the cloud could not give the server its parameters",
            "See the instance's events for which, and correct spec.parameters.";
        MajorVersionDiffers = User, "spec.version asks for another major version than the one that runs, and nothing allows the way there",
            "Write spec.allowMajorVersionUpgrade: true for an upgrade, or the version that the message names: there is no way back to an older one.";
        UpgradeBlocked = User, "the cloud's checks before an upgrade found something in the way, or it came to nothing; the instance runs as before",
            "Mend what the message says: it is tried again after a while. Or take spec.version back.";

        SecretNotOurs = User, "a Secret of that name exists and is not this object's, so it is left alone",
            "Rename the user or the object, or move the Secret away: it may hold a password that is in use.";
        ServiceNotOurs = User, "a Service of that name exists and is not this object's, so it is left alone",
            "Rename the object, or delete that Service. Where it is the alias, nothing is taken from Ready.";
        ClusterUnavailable = Platform, "a Secret or Service cannot be read",
            "It is tried again. Where it lasts, see that the operator's roles are as in the manifests.";
        ClusterRefused = Platform, "Kubernetes refuses a step, such as by a quota of the namespace or an admission policy",
            "Make room for what the message names. It is tried again.";

        AuthoritiesMissing = Platform, "the operator's CA bundle has no authority of the instance's region, so Secrets lack what verifies the server",
            "Give the reconciler a bundle that has it (--rds-ca-bundle). It takes nothing from Ready.";

        MasterUserDiffers = User, "the instance has another master user than the spec says, most likely because it was restored",
            "Write the one that the message names into spec.masteruser.";
        DatabaseLost = User, "a database inside that was there is gone; no empty one takes its place unasked",
            "Restore it from a backup, or take it out of spec.databases, or annotate the object with \
             matrixmind.cloud/recreate-lost-database=<database>.<oid> (the message has the word) for an empty one.";
        NotAsDeclared = User, "a user or database is not as the spec declares it",
            "status.users and status.databases say what stands in the way of each.";
        AccessFailed = User, "a user cannot log in, or cannot work in its databases, with the credentials in its Secret",
            "status.logins says what was seen.";
        NotPermitted = User, "something is not permitted: by the server to its master user, or by whoever has rights over a snapshot or an instance",
            "The message says which. Give the master user back what somebody took from it; or let the object have the snapshot or the instance.";
        NotRestorable = User, "what the object is to be made of is not there, does not reach that moment, or is of another engine, version or master user",
            "Write what the message says. For an empty database delete the object and create it without spec.restoreFrom: nothing was made yet.";
        DatabaseError = User, "the server answers with an error that is not known",
            "The message has its words and the SQLSTATE. It is tried again now and then.";
        DatabaseUnreachable = Platform, "the server cannot be reached from the cluster",
            "See that security groups and routes let the cluster in. It is tried again.";
        CertificateNotTrusted = Platform, "the certificate of the server is not trusted, so no password was sent to it",
            "See that the operator's --rds-ca-bundle holds the authority of the instance.";

        SnapshotOfPredecessor = Nobody, "a database of this name was deleted before, and its final snapshot holds the old data",
            "The message has the field that restores it. Nothing waits for that.";
        DeletionProtected = User, "the object is being deleted, and deletion protection is on",
            "Set spec.deletionProtection: false to let the deletion go on.";
        DeletingServices = Nobody, "the object is being deleted: its Services go first", "";
        InstanceCreating = Nobody, "the object is being deleted: the cloud must finish the creation of the instance before it can be snapshotted", "";
        CreationPending = Nobody, "the object is being deleted: a creation that was asked for may still appear", "";
        Unprotecting = Nobody, "the object is being deleted: the cloud's deletion protection is being switched off, as the spec says", "";
        MarkingRetained = Nobody, "the object is being deleted: its instance is marked as left on purpose", "";
        DeletingInstance = Nobody, "the object is being deleted: its instance is going", "";
        WaitingForSnapshot = Nobody, "the object is being deleted: the final snapshot is not available yet",
            "Large ones take hours. Where one does not end, ask the cloud's provider, or let the object go with deletionPolicy: Retain: the snapshot \
             goes on.";
        SnapshotImpossible = User, "the object is being deleted, and the cloud cannot snapshot the instance in its state",
            "Mend the instance as the message says, or let the data go with deletionPolicy: Delete, or leave the instance with Retain.";
        FinalSnapshotFailed = User, "the object is being deleted, and its final snapshot has failed",
            "Restore what you need from other backups (the message has the command); then deletionPolicy: Delete or Retain lets the object go.";
        NoFinalSnapshot = User, "the object is being deleted, and its instance is gone without a final snapshot of its own",
            "Restore what you need from other backups (the message has the command); then deletionPolicy: Delete or Retain lets the object go.";
        Releasing = Nobody, "the object is being deleted: the finalizer goes, and the object with it", "";
    }
    Event {
        CreateInstance = Nobody, "the instance was asked for", "";
        RestoreInstance = Nobody, "an instance with the data of a backup was asked for", "";
        GrowStorage = Nobody, "a change of the storage was asked for", "";
        ModifyInstance = Nobody, "a change of the instance was asked for", "";
        UpgradeInstance = Nobody, "an upgrade to another major version was asked for", "";
        SnapshotInstance = Nobody, "a snapshot of the instance was asked for", "";
        TakeUpInstance = Nobody, "an accepted instance was marked as the object's", "";
        TagInstance = Nobody, "tags were put on the instance", "";
        ResetMasterPassword = Nobody, "the server was given the master user's password that the Secret holds", "";
        DeleteSnapshot = Nobody, "the deletion of a copy was asked for that has been kept for long enough", "";
        DeleteInstance = Nobody, "the deletion of the instance was asked for", "";
        RebootInstance = Nobody, "a restart of the instance was asked for", "";
        ParameterGroup = Nobody, "a parameter group was asked for, or filled", "";
        CloudRefused = Nobody, "the cloud refused a call, or was not reached",
            "It is tried again; the condition says whether somebody has to act.";
        SecretCreated = Nobody, "a Secret was made, with a new password", "";
        SecretUpdated = Nobody, "a Secret was brought up to date; its password stays", "";
        PasswordRenewed = Nobody, "a Secret had lost its password and has a new one",
            "Restart what still logs in with the old one.";
        SecretDeleted = Nobody, "the Secret of a user who left the spec was deleted", "";
        ServiceCreated = Nobody, "a Service was made", "";
        ServiceUpdated = Nobody, "a Service was pointed to another endpoint", "";
        ServiceDeleted = Nobody, "a Service was deleted with its object", "";
        UsersCreated = Nobody, "users were made inside the database", "";
        UsersChanged = Nobody, "flags, passwords or memberships of users were changed inside the database", "";
        UsersRemoved = Nobody, "users lost their login, or were removed, inside the database", "";
        DatabasesCreated = Nobody, "databases were made", "";
        DatabasesSecured = Nobody, "databases, or what the operator keeps there for itself, were brought to their form", "";
        AccessGiven = Nobody, "users were let into databases", "";
        AccessTaken = Nobody, "users may no more into databases", "";
        ObjectsHandedOver = Nobody, "what users made was handed to all who work in the database", "";
        DatabaseVisitFailed = Nobody, "a visit to the database failed",
            "It is tried again; the condition DatabasesReady says whether somebody has to act.";
        Released = Nobody, "the object is gone; the note says what became of the instance", "";
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is the name of no reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a reason of this version")]
pub struct UnknownReason;

impl FromStr for Reason {
    type Err = UnknownReason;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == text).ok_or(UnknownReason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i7_whoever_has_to_act_is_told_what_to_do() {
        for reason in Reason::ALL {
            let (meaning, remedy) = (reason.meaning(), reason.remedy());
            assert!(!meaning.ends_with('.') && !meaning.contains("  "), "{reason}: {meaning}");
            assert!(remedy.is_empty() || remedy.ends_with('.'), "{reason}: {remedy}");
            assert!(
                reason.acts() == Acts::Nobody || !remedy.is_empty(),
                "{reason} asks for somebody and does not say for what"
            );
        }
    }

    #[test]
    fn a_name_is_read_as_it_is_written() {
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(*reason));
        }
        assert_eq!("SomethingOfTheFuture".parse::<Reason>(), Err(UnknownReason));
    }
}
