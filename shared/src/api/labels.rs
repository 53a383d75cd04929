//! Names that mark what belongs to the operator: group, finalizer, labels, annotations and cloud tags.

/// API group of both resources.
pub const GROUP: &str = "matrixmind.cloud";
/// API version of both resources.
pub const VERSION: &str = "v1";

/// Finalizer that holds an `RDSDatabase` until its instance is gone and its final snapshot is available.
pub const FINALIZER: &str = "matrixmind.cloud/rds-instance";
/// Field manager of every server-side apply of the reconciler.
pub const FIELD_MANAGER: &str = "rds-reconciler";

/// Label that Kubernetes recommends for the tool that manages an object.
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// Value of [`MANAGED_BY_LABEL`] on everything the reconciler makes.
pub const MANAGED_BY: &str = "rds-reconciler";
/// Label that names the `RDSDatabase` a Secret or Service belongs to.
pub const DATABASE_LABEL: &str = "matrixmind.cloud/database";

/// Annotation with the namespace of the `RDSDatabase` that owns a Secret or Service.
pub const OWNER_NAMESPACE_ANNOTATION: &str = "matrixmind.cloud/owner-namespace";
/// Annotation with the name of the `RDSDatabase` that owns a Secret or Service.
pub const OWNER_NAME_ANNOTATION: &str = "matrixmind.cloud/owner-name";

/// Annotation that marks the class of objects that name none, with the value `"true"`.
pub const DEFAULT_CLASS_ANNOTATION: &str = "rdsdatabaseclass.matrixmind.cloud/is-default-class";

/// Cloud tag with the name (or the UID of namespace kube-system) of the owning cluster.
pub const CLUSTER_TAG: &str = "matrixmind.cloud/cluster";
/// Cloud tag with the owning object's namespace.
pub const NAMESPACE_TAG: &str = "matrixmind.cloud/namespace";
/// Cloud tag with the owning object's name.
pub const NAME_TAG: &str = "matrixmind.cloud/name";
/// Cloud tag, with the value `true`, of an instance that stays on purpose after its object went.
pub const RETAINED_TAG: &str = "matrixmind.cloud/retained";
/// Tag of a snapshot that the operator keeps for a while, and deletes by itself when newer ones are there; without it, it stays.
pub const KEPT_TAG: &str = "matrixmind.cloud/kept";
/// Cloud tag, with the value `<namespace>/<name>`, by which whoever has rights over an instance lets that object take it over.
pub const ADOPT_TAG: &str = "matrixmind.cloud/adopt";
/// Cloud tag with the owning object's UID.
pub const UID_TAG: &str = "matrixmind.cloud/uid";
