package rules

import (
	"slices"
	"strings"
)

// flagWords are PostgreSQL's role attributes; with no before it, each means the opposite.
var flagWords = []string{"superuser", "createdb", "createrole", "inherit", "login", "replication", "bypassrls"}

const (
	superuser   = 0
	createrole  = 2
	replication = 5
	bypassrls   = 6
)

// flagLimit is how many role flags of one user are looked at: each word and its opposite.
const flagLimit = 14

// roleFlags say of each word whether it, or its opposite, was written.
type roleFlags [7]struct{ written, value bool }

func (f *roleFlags) has(word int) bool { return f[word].value }

// declare adds what a word declares, such as createdb or NOLOGIN.
func (f *roleFlags) declare(written string) *refusal {
	word, value := strings.ToLower(written), true
	if positive, ok := strings.CutPrefix(word, "no"); ok && slices.Contains(flagWords, positive) {
		word, value = positive, false
	}
	index := slices.Index(flagWords, word)
	if index < 0 {
		return unknownFlag(written)
	}
	flag := &f[index]
	if !flag.written {
		flag.written, flag.value = true, value
		return nil
	}
	if flag.value == value {
		return refusef(repeatedRoleFlag, "%s is written twice", quoted(written))
	}
	other := word
	if !flag.value {
		other = "no" + word
	}
	return refusef(contradictingRoleFlags, "%s contradicts %s: write one of them", quoted(written), quoted(other))
}

func unknownFlag(written string) *refusal {
	candidates := slices.Clone(flagWords)
	for _, word := range flagWords {
		candidates = append(candidates, "no"+word)
	}
	return refusef(unknownRoleFlag, "%s is not a role flag: write %s, each perhaps with no before it%s",
		quoted(written), oneOf(flagWords...), suggestion(written, candidates...))
}

// checkClassName checks the name of an RDSDatabaseClass: a DNS subdomain, as for any cluster-scoped object.
func checkClassName(name string) *refusal {
	if isSubdomain(name) {
		return nil
	}
	hint := ""
	if lower := strings.NewReplacer(" ", "-", "_", "-").Replace(strings.ToLower(strings.TrimSpace(name))); isSubdomain(lower) {
		hint = didYouMean(lower)
	}
	return refusef(malformedClassName, "%s cannot be the name of an RDSDatabaseClass: write lower-case letters, digits, - and .%s",
		quoted(name), hint)
}

func isSubdomain(name string) bool {
	return len(name) <= 253 && !slices.ContainsFunc(strings.Split(name, "."), func(part string) bool {
		return part == "" || hasOther(part, '-') || part[0] == '-' || part[len(part)-1] == '-'
	})
}

// checkInstanceClass checks an RDS instance class: db., a family and a size. Which ones there are depends on the
// region.
func checkInstanceClass(name string) *refusal {
	if isInstanceClass(name) {
		return nil
	}
	hint := ""
	lower := strings.ToLower(strings.TrimSpace(name))
	dotted := strings.ReplaceAll(strings.Replace(lower, "db-", "db.", 1), "-", ".")
	for _, meant := range []string{"db." + lower, dotted, lower} {
		if isInstanceClass(meant) {
			hint = didYouMean(meant)
			break
		}
	}
	return refusef(malformedInstanceClass, "%s is not an RDS instance class: write one such as db.t4g.micro%s", quoted(name), hint)
}

func isInstanceClass(name string) bool {
	parts := strings.Split(name, ".")
	return len(name) <= 64 && parts[0] == "db" && len(parts) >= 3 &&
		!slices.ContainsFunc(parts, func(part string) bool { return part == "" || hasOther(part, '-') })
}

// policiesElsewhere is what other operators call the deletion policies.
var policiesElsewhere = foreignWords{"orphan": "Retain", "keep": "Retain", "finalsnapshot": "Snapshot", "destroy": "Delete"}

var deletionPolicies = []string{"Snapshot", "Retain", "Delete"}

func checkDeletionPolicy(policy string) *refusal {
	if slices.Contains(deletionPolicies, policy) {
		return nil
	}
	return refusef(unknownDeletionPolicy, "%s is not a deletion policy: write %s%s",
		quoted(policy), oneOf(deletionPolicies...), policiesElsewhere.meant(policy, deletionPolicies...))
}
