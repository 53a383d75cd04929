package rules

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// keys are those of a specification, in the order of its documentation.
var keys = []string{
	"type", "version", "size", "masteruser", "users", "databases", "backup", "className", "instanceClass",
	"deletionPolicy", "deletionProtection", "paused",
}

var backupKeys = []string{"every", "retention"}

// member is the value of a key of something that may be no map at all; nil where it is absent or null.
func member(value any, key string) any {
	if entries, ok := value.(map[string]any); ok {
		return entries[key]
	}
	return nil
}

// nullKeys are the keys of a map whose values are null.
func nullKeys(spec any, key string) []string {
	entries, _ := member(spec, key).(map[string]any)
	var null []string
	for name, value := range entries {
		if value == nil {
			null = append(null, name)
		}
	}
	slices.Sort(null)
	return null
}

func sortedKeys(entries map[string]any) []string {
	names := slices.AppendSeq(make([]string, 0, len(entries)), maps.Keys(entries))
	slices.Sort(names)
	return names
}

// excerpt is the longest part of a value that a message shows, in characters.
const excerpt = 64

// quoted is a text in quotes, shortened, with control characters escaped.
func quoted(text string) string {
	var out strings.Builder
	out.WriteByte('"')
	shown := 0
	for _, c := range text {
		if shown == excerpt {
			out.WriteString("…")
			break
		}
		shown++
		switch {
		case c == '"' || c == '\\':
			out.WriteByte('\\')
			out.WriteRune(c)
		case disguising(c):
			fmt.Fprintf(&out, "\\u{%x}", c)
		default:
			out.WriteRune(c)
		}
	}
	out.WriteByte('"')
	return out.String()
}

// disguising characters would let a value look like a part of the message around it.
func disguising(c rune) bool {
	return unicode.IsControl(c) || c >= 0x200b && c <= 0x200f || c >= 0x2028 && c <= 0x202e || c >= 0x2066 && c <= 0x2069
}

// shown is a key as it stands in a path.
func shown(key string) string {
	plain := len(key) <= excerpt && !strings.ContainsFunc(key, func(c rune) bool {
		return c >= utf8.RuneSelf || c < ' ' || c == 0x7f || c == '"' || c == '\\'
	})
	if plain {
		return key
	}
	return strings.Trim(quoted(key), `"`)
}

// described says what kind of value stands where another was wanted, with the value where it is short.
func described(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return "the boolean " + strconv.FormatBool(value)
	case int64, float64:
		return "the number " + number(value)
	case string:
		return "the text " + quoted(value)
	case []any:
		return "a list"
	default:
		return "a map"
	}
}

// number writes a number as JSON does, a float always with its fraction or exponent.
func number(value any) string {
	float, ok := value.(float64)
	if !ok {
		return fmt.Sprint(value)
	}
	if size := math.Abs(float); size != 0 && (size < 1e-5 || size >= 1e16) {
		// An exponent has a sign, and no leading zero.
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(float, 'e', -1, 64), "e")
		return mantissa + "e" + exponent[:1] + strings.TrimLeft(exponent[1:], "0")
	}
	text := strconv.FormatFloat(float, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// suggestion is what was probably meant, as an addition to a message, or nothing.
func suggestion(written string, candidates ...string) string {
	// Edit distance is quadratic; nobody mistypes a name into something this long.
	if utf8.RuneCountInString(written) > excerpt {
		return ""
	}
	lower := strings.ToLower(written)
	best, meant := math.MaxInt, ""
	for _, candidate := range candidates {
		if candidate == written {
			continue
		}
		distance := editDistance(lower, strings.ToLower(candidate))
		if distance > max(max(len(candidate), len(lower))/3, 1) {
			continue
		}
		if distance < best || distance == best && candidate < meant {
			best, meant = distance, candidate
		}
	}
	if best == math.MaxInt {
		return ""
	}
	return didYouMean(meant)
}

// foreignWords are those that people bring along from elsewhere, in lower case, and what they are here.
type foreignWords map[string]string

// keysElsewhere is what other tools call the keys of a specification.
var keysElsewhere = foreignWords{
	"engine": "type", "engineversion": "version", "storage": "size", "capacity": "size", "disk": "size",
	"allocatedstorage": "size", "username": "masteruser", "roles": "users", "dbs": "databases", "class": "className",
	"dbinstanceclass": "instanceClass", "instancetype": "instanceClass", "suspend": "paused", "suspended": "paused",
}

var backupKeysElsewhere = foreignWords{
	"interval": "every", "frequency": "every", "schedule": "every", "retentionperiod": "retention", "keep": "retention",
}

// meant is what a word from elsewhere is here, or else the candidate that was probably meant.
func (f foreignWords) meant(written string, candidates ...string) string {
	if here, ok := f[strings.ToLower(strings.TrimSpace(written))]; ok {
		return didYouMean(here)
	}
	return suggestion(written, candidates...)
}

func didYouMean(meant string) string { return "; did you mean " + quoted(meant) + "?" }

// oneOf lists words as people do: a, a or b, a, b or c.
func oneOf(words ...string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// editDistance is the Damerau-Levenshtein distance: insertions, deletions, substitutions, and transpositions of
// neighbours, between which there may be further edits.
func editDistance(from, to string) int {
	a, b := []rune(from), []rune(to)
	width := len(b) + 2
	cells := make([]int, (len(a)+2)*width)
	at := func(row, column int) *int { return &cells[row*width+column] }
	far := len(a) + len(b)
	*at(0, 0) = far
	for row := 0; row <= len(a); row++ {
		*at(row+1, 0), *at(row+1, 1) = far, row
	}
	for column := 0; column <= len(b); column++ {
		*at(0, column+1), *at(1, column+1) = far, column
	}
	lastRow := make(map[rune]int, len(a))
	for row := 1; row <= len(a); row++ {
		lastColumn := 0
		for column := 1; column <= len(b); column++ {
			crossRow, crossColumn := lastRow[b[column-1]], lastColumn
			cost := 1
			if a[row-1] == b[column-1] {
				cost, lastColumn = 0, column
			}
			*at(row+1, column+1) = min(
				*at(row, column)+cost,
				*at(row+1, column)+1,
				*at(row, column+1)+1,
				*at(crossRow, crossColumn)+(row-crossRow-1)+1+(column-crossColumn-1),
			)
		}
		lastRow[a[row-1]] = row
	}
	return *at(len(a)+1, len(b)+1)
}
