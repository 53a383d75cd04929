package rules

import (
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// objectNameLimit is the longest name of an RDSDatabase: its Service is called <name>-rds.
	objectNameLimit = 59
	// generatedSuffix is what Kubernetes gives a generated name as its end.
	generatedSuffix = 5
	// nameLimit is PostgreSQL's NAMEDATALEN - 1.
	nameLimit = 63
	// Source: MySQL reference manual, "Account User Names and Passwords".
	mysqlUserLimit = 32
)

// place is what a name is wanted for.
type place int

const (
	userPlace place = iota
	masterPlace
	databasePlace
)

// String is the place with its article, for messages.
func (p place) String() string {
	return [...]string{"a user name", "a master user name", "a database name"}[p]
}

// checkName checks the name of a role or a database.
func checkName(e engine, place place, name string) *refusal {
	limit := nameLimit
	if e == mysql && place != databasePlace {
		limit = mysqlUserLimit
	}
	if length := utf8.RuneCountInString(name); length > limit {
		return refusef(longName, "%s has %d characters: %s has at most %d", quoted(name), length, place, limit)
	}
	if !wellFormed(name) {
		hint := ""
		if meant := nameMeant(place, name); meant != "" {
			hint = didYouMean(meant)
		}
		return refusef(malformedName, "%s is not %s: write lower-case letters, digits and _, first a letter and last a letter or digit%s",
			quoted(name), place, hint)
	}
	if why := whyReserved(e, place, name); why != "" {
		return refusef(reservedName, "%s %s", quoted(name), why)
	}
	return nil
}

func wellFormed(name string) bool {
	return name != "" && name[0] >= 'a' && name[0] <= 'z' && name[len(name)-1] != '_' && !hasOther(name, '_')
}

// hasOther says whether a name has more than lower-case letters, digits and one further character.
func hasOther(name string, further byte) bool {
	for index := range len(name) {
		c := name[index]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != further {
			return true
		}
	}
	return false
}

// nameMeant is a name that is free, made of one that is not well formed; empty where there is none.
func nameMeant(place place, name string) string {
	meant := strings.Map(func(c rune) rune {
		switch {
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			return c
		default:
			return '_'
		}
	}, strings.TrimSpace(name))
	meant = strings.Trim(meant, "_")
	if !wellFormed(meant) {
		return ""
	}
	for _, e := range engines {
		if whyReserved(e, place, meant) != "" {
			return ""
		}
	}
	return meant
}

// sqlWords are those that SQL reserves: as a name they would have to be quoted in every statement.
// Source: PostgreSQL 18 documentation, appendix "SQL Key Words", the reserved ones; sorted.
var sqlWords = []string{
	"all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "binary",
	"both", "case", "cast", "check", "collate", "collation", "column", "concurrently", "constraint", "create",
	"cross", "current_catalog", "current_date", "current_role", "current_schema", "current_time",
	"current_timestamp", "current_user", "default", "deferrable", "desc", "distinct", "do", "else", "end",
	"except", "false", "fetch", "for", "foreign", "freeze", "from", "full", "grant", "group", "having", "ilike",
	"in", "initially", "inner", "intersect", "into", "is", "isnull", "join", "lateral", "leading", "left",
	"like", "limit", "localtime", "localtimestamp", "natural", "not", "notnull", "null", "offset", "on", "only",
	"or", "order", "outer", "overlaps", "placing", "primary", "references", "returning", "right", "select",
	"session_user", "similar", "some", "symmetric", "system_user", "table", "tablesample", "then", "to",
	"trailing", "true", "union", "unique", "user", "using", "variadic", "verbose", "when", "where", "window",
	"with",
}

// whyReserved is the rest of a sentence that begins with the name; empty where the name is free.
func whyReserved(e engine, place place, name string) string {
	switch {
	case place != masterPlace && name == "master":
		return "is reserved: the Secret of the master user has this name"
	case name == "public" || name == "none":
		return "is reserved: it has a meaning of its own in grants"
	}
	if _, found := slices.BinarySearch(sqlWords, name); found {
		return "is reserved: it is a key word of SQL"
	}
	if e == mysql {
		return whyReservedByMySQL(place, name)
	}
	return whyReservedByPostgreSQL(place, name)
}

func whyReservedByPostgreSQL(place place, name string) string {
	switch {
	case place == databasePlace && (name == "postgres" || name == "template0" || name == "template1"):
		return "is reserved: every PostgreSQL server has it already"
	case place == userPlace && name == "postgres":
		return "is reserved: it is the customary superuser; to have it, write it as spec.masteruser"
	case place != databasePlace && name == "admin":
		return "is reserved by RDS for PostgreSQL"
	case strings.HasPrefix(name, "pg_"):
		return "is reserved: PostgreSQL keeps names that begin with pg_ to itself"
	}
	return whyReservedByRDS(place, name)
}

func whyReservedByMySQL(place place, name string) string {
	switch name {
	case "mysql", "sys", "information_schema", "performance_schema", "innodb":
		if place == databasePlace {
			return "is reserved: every MySQL server has it already"
		}
	}
	if place != databasePlace && (name == "root" || name == "mysql") {
		return "is reserved by MySQL"
	}
	return whyReservedByRDS(place, name)
}

func whyReservedByRDS(place place, name string) string {
	if name == "rdsadmin" || place != databasePlace && strings.HasPrefix(name, "rds") {
		return "is reserved: RDS keeps names that begin with rds to itself"
	}
	return ""
}

// checkObjectName checks metadata.name.
func checkObjectName(name string) *refusal {
	if length := utf8.RuneCountInString(name); length > objectNameLimit {
		return refusef(longObjectName, "%s has %d characters: at most %d leave room for the Service \"<name>-rds\"",
			quoted(name), length, objectNameLimit)
	}
	if namesObject(name) {
		return nil
	}
	hint := ""
	if lower := dashed.Replace(strings.ToLower(strings.TrimSpace(name))); namesObject(lower) {
		hint = didYouMean(lower)
	}
	return refusef(malformedObjectName,
		"%s cannot name an RDSDatabase: write lower-case letters, digits and -, first a letter and last a letter or digit%s", quoted(name), hint)
}

// checkGenerateName checks the prefix of a name that Kubernetes is yet to generate.
func checkGenerateName(prefix string) *refusal {
	const limit = objectNameLimit - generatedSuffix
	if length := utf8.RuneCountInString(prefix); length > limit {
		return refusef(longObjectName, "%s has %d characters: a generated name leaves room for %d", quoted(prefix), length, limit)
	}
	if !beginsLabel(prefix) {
		return refusef(malformedObjectName, "%s cannot begin a name: write lower-case letters, digits and -, first a letter", quoted(prefix))
	}
	return nil
}

var dashed = strings.NewReplacer(".", "-", "_", "-", " ", "-", "/", "-")

func namesObject(name string) bool { return beginsLabel(name) && !strings.HasSuffix(name, "-") }

func beginsLabel(text string) bool {
	return text != "" && text[0] >= 'a' && text[0] <= 'z' && !hasOther(text, '-')
}
