package rules

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// entryLimit is how many users, databases, and users of one database there may be.
const entryLimit = 500

// memberLimit is how many users all databases may have together, each counted as often as it is listed.
const memberLimit = 50_000

// hintLimit is how many strangers are told who was probably meant: each is compared with every user.
const hintLimit = 10

var (
	specPath      = field.NewPath("spec")
	usersPath     = specPath.Child("users")
	databasesPath = specPath.Child("databases")
	backupPath    = specPath.Child("backup")
)

func keyed(path *field.Path, key string) *field.Path { return path.Key(shown(key)) }

// draft holds the fields of a specification that could be parsed, as far as a rule looks at them again.
type draft struct {
	engine         engine
	version        *engineVersion
	size           *size
	masterUser     string
	users          []user
	databases      map[string]struct{}
	every          interval
	retention      interval
	instanceClass  string
	deletionPolicy string
}

type user struct {
	name  string
	flags roleFlags
}

// read parses a specification whose defaults are in place.
func read(spec any) (draft, violations) {
	var r reader
	var d draft
	entries, ok := spec.(map[string]any)
	if !ok && spec != nil {
		r.refuse(specPath, refusef(wrongType, "must be a map of fields, not %s", described(spec)))
		return d, r.violations
	}
	if text, ok := r.required(entries, specPath, "type"); ok {
		d.engine = take(&r, specPath.Child("type"), text, parseEngine)
	}
	// Names are judged as PostgreSQL's while the type is not known; a version is not judged at all.
	namedBy := d.engine
	if d.engine == noEngine {
		namedBy = postgresql
	} else {
		d.version = r.version(d.engine, entries)
	}
	if text, ok := r.quantity(entries, specPath, "size", "GB", malformedSize); ok {
		if parsed, refused := parseSize(text); refused == nil {
			d.size = &parsed
		} else {
			r.refuse(specPath.Child("size"), refused)
		}
	}
	if text, ok := r.required(entries, specPath, "masteruser"); ok {
		if refused := checkName(namedBy, masterPlace, text); refused == nil {
			d.masterUser = text
		} else {
			r.refuse(specPath.Child("masteruser"), refused)
		}
	}
	declared := r.users(namedBy, entries, &d)
	r.databases(namedBy, entries, declared, &d)
	r.backup(entries, &d)
	r.word(entries, "className", checkClassName)
	if r.word(entries, "instanceClass", checkInstanceClass) {
		d.instanceClass = entries["instanceClass"].(string)
	}
	if r.word(entries, "deletionPolicy", checkDeletionPolicy) {
		d.deletionPolicy = entries["deletionPolicy"].(string)
	}
	r.boolean(entries, "deletionProtection")
	r.boolean(entries, "paused")
	r.unknownKeys(specPath, entries, keys, keysElsewhere)
	return d, r.violations
}

func (r *reader) version(e engine, entries map[string]any) *engineVersion {
	path := specPath.Child("version")
	text := ""
	switch value := entries["version"].(type) {
	case nil:
		r.missing(path)
		return nil
	case string:
		bounded, refused := textOf(value)
		if refused != nil {
			r.refuse(path, refused)
			return nil
		}
		text = bounded
	case int64:
		text = number(value)
	case float64:
		shown := number(value)
		r.refuse(path, refusef(unquotedVersion,
			`%s without quotes is a number, and 12.10 would be the same as 12.1: quote it, such as "%s"`, shown, shown))
		return nil
	default:
		r.refuse(path, refusef(wrongType, "must be a text or a whole number, not %s", described(value)))
		return nil
	}
	version, refused := parseVersion(e, text)
	if refused != nil {
		r.refuse(path, refused)
		return nil
	}
	return &version
}

// users reads spec.users, and says of each name that was declared whether it could be parsed.
func (r *reader) users(e engine, entries map[string]any, d *draft) map[string]bool {
	declared := map[string]bool{}
	if users, ok := entries["users"].(map[string]any); ok {
		declared = make(map[string]bool, len(users))
		for name, flags := range users {
			if flags != nil {
				declared[name] = false
			}
		}
	}
	users := r.entries(entries, "users")
	d.users = make([]user, 0, len(users))
	for _, name := range sortedKeys(users) {
		path := keyed(usersPath, name)
		refused := checkName(e, userPlace, name)
		if refused != nil {
			r.refuse(path, refused)
		} else if name == d.masterUser {
			r.refuse(path, refusef(masterUserInUsers, "%s is the master user already: it is not one of spec.users", quoted(name)))
		}
		if users[name] == nil {
			continue
		}
		flags := r.flags(path, users[name])
		if refused == nil {
			declared[name] = true
			d.users = append(d.users, user{name, flags})
		}
	}
	return declared
}

func (r *reader) flags(path *field.Path, value any) roleFlags {
	var flags roleFlags
	for index, item := range r.list(path, value, flagLimit, "role flags, such as [createdb] or []") {
		word, refused := textOf(item)
		if refused == nil {
			refused = flags.declare(word)
		}
		if refused != nil {
			r.refuse(path.Index(index), refused)
		}
	}
	return flags
}

func (r *reader) databases(e engine, entries map[string]any, declared map[string]bool, d *draft) {
	databases := r.entries(entries, "databases")
	d.databases = make(map[string]struct{}, len(databases))
	seen := make(map[string]struct{})
	listed := 0
	for _, name := range sortedKeys(databases) {
		path := keyed(databasesPath, name)
		refused := checkName(e, databasePlace, name)
		if refused != nil {
			r.refuse(path, refused)
		}
		if d.masterUser != "" && name == d.masterUser {
			r.refuse(path, refusef(masterUserAsDatabase, "%s is the name of the master user: choose another one", quoted(name)))
		}
		if databases[name] == nil {
			continue
		}
		if refused == nil {
			d.databases[name] = struct{}{}
		}
		clear(seen)
		members := r.list(path, databases[name], entryLimit, "users, such as [app]")
		listed += len(members)
		for index, item := range members {
			member, refused := textOf(item)
			if refused != nil {
				r.refuse(path.Index(index), refused)
				continue
			}
			_, twice := seen[member]
			seen[member] = struct{}{}
			parsed, there := declared[member]
			switch {
			case twice:
				r.refuse(path.Index(index), refusef(repeatedMember, "%s is listed twice", quoted(member)))
			case parsed:
			case d.masterUser != "" && member == d.masterUser:
				r.refuse(path.Index(index), refusef(masterUserAsMember, "%s is the master user, who may work in every database anyway", quoted(member)))
			case !there && r.violations.full():
				r.violations.count()
			case !there:
				r.refuse(path.Index(index), r.undeclared(e, entries, member, declared))
			}
		}
	}
	if listed > memberLimit {
		r.refuse(databasesPath, refusef(tooManyEntries, "lists %d users over all databases: at most %d are allowed", listed, memberLimit))
	}
}

func (r *reader) undeclared(e engine, entries map[string]any, member string, declared map[string]bool) *refusal {
	if users, ok := entries["users"].(map[string]any); ok {
		if _, null := users[member]; null {
			return refusef(userIsNull, "%s is null in spec.users, which means absent: write %s: [] there", quoted(member), member)
		}
	}
	if r.hinted++; r.hinted > hintLimit {
		return refusef(userNotDeclared, "%s is not in spec.users", quoted(member))
	}
	names := slices.Collect(maps.Keys(declared))
	hint := suggestion(member, names...)
	if hint == "" && checkName(e, userPlace, member) == nil {
		hint = fmt.Sprintf("; to add the user, write %s: [] there", member)
	}
	return refusef(userNotDeclared, "%s is not in spec.users%s", quoted(member), hint)
}

func (r *reader) backup(entries map[string]any, d *draft) {
	value := entries["backup"]
	if value == nil {
		r.missing(backupPath)
		return
	}
	backup, ok := value.(map[string]any)
	if !ok {
		r.refuse(backupPath, refusef(wrongType, "must be a map such as {every: 24h, retention: 7d}, not %s", described(value)))
		return
	}
	if text, ok := r.quantity(backup, backupPath, "every", "h", malformedDuration); ok {
		d.every = take(r, backupPath.Child("every"), text, parseEvery)
	}
	if text, ok := r.quantity(backup, backupPath, "retention", "d", malformedDuration); ok {
		d.retention = take(r, backupPath.Child("retention"), text, parseRetention)
	}
	r.unknownKeys(backupPath, backup, backupKeys, backupKeysElsewhere)
}
