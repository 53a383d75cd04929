package rules

import (
	"fmt"
	"strings"
)

type engine int

const (
	noEngine engine = iota
	postgresql
	mysql
)

var engines = []engine{postgresql, mysql}

func (e engine) String() string {
	if e == mysql {
		return "MySQL"
	}
	return "PostgreSQL"
}

// supported says whether the reconciler creates instances of it.
func (e engine) supported() bool { return e == postgresql }

func parseEngine(text string) (engine, *refusal) {
	switch text {
	case "Postgresql", "postgresql":
		return postgresql, nil
	case "MySQL", "mysql":
		return mysql, nil
	}
	hint := enginesElsewhere.meant(text, "Postgresql", "MySQL", "postgresql", "mysql")
	return noEngine, refusef(unknownEngine, "%s is not an engine: write Postgresql or MySQL%s", quoted(text), hint)
}

// enginesElsewhere is how tools call the engines.
var enginesElsewhere = foreignWords{"postgres": "Postgresql", "pg": "Postgresql", "psql": "Postgresql"}

// engineOf is the engine of a spec.type of any shape; none where it is not one.
func engineOf(value any) engine {
	switch value {
	case "Postgresql", "postgresql":
		return postgresql
	case "MySQL", "mysql":
		return mysql
	}
	return noEngine
}

// majorVersion is 12 for PostgreSQL and 8.4 for MySQL.
type majorVersion struct{ number, sub int }

// noPart stands for a part of a version that is not written.
const noPart = -1

func (m majorVersion) String() string {
	if m.sub == noPart {
		return fmt.Sprint(m.number)
	}
	return fmt.Sprintf("%d.%d", m.number, m.sub)
}

func (m majorVersion) less(other majorVersion) bool {
	return m.number < other.number || m.number == other.number && m.sub < other.sub
}

// engineVersion is a major version and perhaps a minor one, which of Extended Support carries a date:
// 12, 12.22, 12.22-rds.20250814, 8.4.3.
type engineVersion struct {
	major           majorVersion
	minor, extended int
}

func (v engineVersion) String() string {
	text := v.major.String()
	if v.minor != noPart {
		text += fmt.Sprintf(".%d", v.minor)
	}
	if v.extended != noPart {
		text += fmt.Sprintf("-rds.%08d", v.extended)
	}
	return text
}

// offered says whether a specification may ask for it.
func (v engineVersion) offered(e engine) bool {
	known := lifecycleOf(e, v.major)
	return known != nil && known.offered
}

// covers says whether an instance of running satisfies this version: the parts that are written are equal.
func (v engineVersion) covers(running engineVersion) bool {
	return v.major == running.major && (v.minor == noPart || v.minor == running.minor) &&
		(v.extended == noPart || v.extended == running.extended)
}

// above says whether it comes after another, where a part that is not written comes before any that is.
func (v engineVersion) above(other engineVersion) bool {
	if v.major != other.major {
		return other.major.less(v.major)
	}
	return v.minor > other.minor || v.minor == other.minor && v.extended > other.extended
}

// precedes says whether moving to this version from other would be a way back, as far as both are written.
func (v engineVersion) precedes(other engineVersion) bool {
	knownLess := func(a, b int) bool { return a != noPart && b != noPart && a < b }
	return v.major.less(other.major) ||
		v.major == other.major && (knownLess(v.minor, other.minor) ||
			v.minor == other.minor && knownLess(v.extended, other.extended))
}

// parseVersion gives a version that is well formed and of a major version the operator offers.
func parseVersion(e engine, text string) (engineVersion, *refusal) {
	version, ok := readVersion(e, text)
	if !ok {
		hint := otherEngine(e, text)
		if hint == "" {
			hint = versionMeant(e, text)
		}
		example := `"12" or "12.22"`
		if e == mysql {
			example = `"8.4" or "8.4.3"`
		}
		return version, refusef(malformedVersion, "%s is not a version of %s: write a text such as %s%s",
			quoted(text), e, example, hint)
	}
	if version.offered(e) {
		return version, nil
	}
	var offered []string
	for _, lifecycle := range lifecycles {
		if lifecycle.engine == e && lifecycle.offered {
			offered = append(offered, lifecycle.major.String())
		}
	}
	return version, refusef(versionNotOffered, "%s is not a version of %s that is offered: write %s%s",
		quoted(text), e, oneOf(offered...), otherEngine(e, text))
}

// readVersion reads any version in the engine's form, also one that is not offered: what RDS reports.
func readVersion(e engine, text string) (engineVersion, bool) {
	version := engineVersion{majorVersion{noPart, noPart}, noPart, noPart}
	numbers, date, dated := strings.Cut(text, "-rds.")
	if dated {
		extended, ok := digits(date)
		if !ok || len(date) != 8 {
			return version, false
		}
		version.extended = extended
	}
	parts := []*int{&version.major.number, &version.minor}
	if e == mysql {
		parts = []*int{&version.major.number, &version.major.sub, &version.minor}
	}
	written := strings.Split(numbers, ".")
	if len(written) > len(parts) || len(written) < len(parts)-1 {
		return version, false
	}
	for index, text := range written {
		part, ok := digits(text)
		if !ok || part > 65_535 || len(text) > 1 && text[0] == '0' {
			return version, false
		}
		*parts[index] = part
	}
	return version, !dated || version.minor != noPart
}

// digits is a number of decimal digits and nothing else, within 32 bits.
func digits(text string) (int, bool) {
	if text == "" || len(text) > 10 {
		return 0, false
	}
	value := 0
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return 0, false
		}
		value = value*10 + int(c-'0')
	}
	return value, value <= 1<<32-1
}

// otherEngine says so when the version is one of another engine: then it is the type that was forgotten.
func otherEngine(e engine, text string) string {
	for _, other := range engines {
		if other == e {
			continue
		}
		if version, ok := readVersion(other, text); ok && version.offered(other) {
			return fmt.Sprintf("; for %s, write its type as well", other)
		}
	}
	return ""
}

// versionMeant is the version in v15, postgres-15, 15.x or 15.4.0; the newest one for latest.
func versionMeant(e engine, text string) string {
	switch strings.ToLower(text) {
	case "latest", "newest", "stable":
		return didYouMean(newest(e).String())
	}
	isNoDigit := func(c rune) bool { return c < '0' || c > '9' }
	from := strings.TrimLeft(strings.TrimLeftFunc(text, isNoDigit), "0")
	if end := strings.IndexFunc(from, func(c rune) bool { return isNoDigit(c) && c != '.' }); end >= 0 {
		from = from[:end]
	}
	parts := strings.Split(from, ".")
	for count := len(parts); count > 0; count-- {
		meant := strings.Join(parts[:count], ".")
		if version, ok := readVersion(e, meant); ok && version.offered(e) {
			return didYouMean(meant)
		}
	}
	return ""
}
