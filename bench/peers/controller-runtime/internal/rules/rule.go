package rules

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// rule is the identity of a refusal, which outlives the wording of its messages.
type rule struct {
	// id is its stable name, such as user-not-declared.
	id string
	// cause is the kind of mistake that Kubernetes is told.
	cause metav1.CauseType
}

var (
	wrongType              = &rule{"wrong-type", metav1.CauseTypeFieldValueInvalid}
	unknownField           = &rule{"unknown-field", metav1.CauseTypeFieldValueNotSupported}
	defaultsMissing        = &rule{"defaults-missing", metav1.CauseTypeFieldValueRequired}
	tooManyEntries         = &rule{"too-many-entries", metav1.CauseTypeTooLong}
	longText               = &rule{"long-text", metav1.CauseTypeTooLong}
	moreMistakes           = &rule{"more-mistakes", metav1.CauseTypeFieldValueInvalid}
	malformedObjectName    = &rule{"malformed-object-name", metav1.CauseTypeFieldValueInvalid}
	longObjectName         = &rule{"long-object-name", metav1.CauseTypeTooLong}
	unknownEngine          = &rule{"unknown-engine", metav1.CauseTypeFieldValueNotSupported}
	malformedVersion       = &rule{"malformed-version", metav1.CauseTypeFieldValueInvalid}
	unquotedVersion        = &rule{"unquoted-version", metav1.CauseTypeFieldValueInvalid}
	versionNotOffered      = &rule{"version-not-offered", metav1.CauseTypeFieldValueNotSupported}
	malformedSize          = &rule{"malformed-size", metav1.CauseTypeFieldValueInvalid}
	zeroSize               = &rule{"zero-size", metav1.CauseTypeFieldValueInvalid}
	sizeAboveMaximum       = &rule{"size-above-maximum", metav1.CauseTypeFieldValueInvalid}
	malformedName          = &rule{"malformed-name", metav1.CauseTypeFieldValueInvalid}
	longName               = &rule{"long-name", metav1.CauseTypeTooLong}
	reservedName           = &rule{"reserved-name", metav1.CauseTypeForbidden}
	masterUserInUsers      = &rule{"master-user-in-users", metav1.CauseTypeForbidden}
	masterUserAsDatabase   = &rule{"master-user-as-database", metav1.CauseTypeForbidden}
	masterUserAsMember     = &rule{"master-user-as-member", metav1.CauseTypeForbidden}
	unknownRoleFlag        = &rule{"unknown-role-flag", metav1.CauseTypeFieldValueNotSupported}
	repeatedRoleFlag       = &rule{"repeated-role-flag", metav1.CauseTypeFieldValueDuplicate}
	contradictingRoleFlags = &rule{"contradicting-role-flags", metav1.CauseTypeFieldValueInvalid}
	userNotDeclared        = &rule{"user-not-declared", metav1.CauseTypeFieldValueInvalid}
	userIsNull             = &rule{"user-is-null", metav1.CauseTypeFieldValueInvalid}
	repeatedMember         = &rule{"repeated-member", metav1.CauseTypeFieldValueDuplicate}
	malformedDuration      = &rule{"malformed-duration", metav1.CauseTypeFieldValueInvalid}
	durationOutOfRange     = &rule{"duration-out-of-range", metav1.CauseTypeFieldValueInvalid}
	zeroRetention          = &rule{"zero-retention", metav1.CauseTypeFieldValueInvalid}
	retentionNotInDays     = &rule{"retention-not-in-days", metav1.CauseTypeFieldValueInvalid}
	malformedClassName     = &rule{"malformed-class-name", metav1.CauseTypeFieldValueInvalid}
	malformedInstanceClass = &rule{"malformed-instance-class", metav1.CauseTypeFieldValueInvalid}
	unknownDeletionPolicy  = &rule{"unknown-deletion-policy", metav1.CauseTypeFieldValueNotSupported}
	engineChanged          = &rule{"engine-changed", metav1.CauseTypeForbidden}
	masterUserChanged      = &rule{"master-user-changed", metav1.CauseTypeForbidden}
	majorUpgrade           = &rule{"major-upgrade", metav1.CauseTypeForbidden}
	versionDowngrade       = &rule{"version-downgrade", metav1.CauseTypeForbidden}
	sizeShrinks            = &rule{"size-shrinks", metav1.CauseTypeForbidden}
	removedByNull          = &rule{"removed-by-null", metav1.CauseTypeFieldValueInvalid}
	deletionProtected      = &rule{"deletion-protected", metav1.CauseTypeForbidden}
)
