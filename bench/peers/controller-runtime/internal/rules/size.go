package rules

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode"
)

// gibibytes are the unit of AllocatedStorage in the RDS API.
type gibibytes uint32

const (
	// Smallest and largest gp3 volume. Source: RDS API, CreateDBInstance, AllocatedStorage.
	smallestVolume gibibytes = 20
	largestVolume  gibibytes = 65_536
)

func (g gibibytes) String() string { return fmt.Sprintf("%dGi", uint32(g)) }

// grownTo is what to ask for so that a volume of this size becomes at least wanted: RDS grows volumes by 10 % or
// more. Source: RDS API, ModifyDBInstance, AllocatedStorage.
func (g gibibytes) grownTo(wanted gibibytes) gibibytes {
	if wanted <= g {
		return g
	}
	step := gibibytes((uint64(g)*11 + 9) / 10)
	return max(wanted, min(step, largestVolume))
}

// size is one that was written, in bytes; none is larger than the largest volume.
type size struct{ bytes uint64 }

// gibibytes that hold the size, rounded up.
func (s size) gibibytes() gibibytes { return gibibytes((s.bytes + 1<<30 - 1) >> 30) }

// allocated is what RDS is asked for.
func (s size) allocated() gibibytes { return max(s.gibibytes(), smallestVolume) }

var units = map[string]uint64{
	"G": 1e9, "GB": 1e9, "T": 1e12, "TB": 1e12, "Gi": 1 << 30, "GiB": 1 << 30, "Ti": 1 << 40, "TiB": 1 << 40,
}

func parseSize(text string) (size, *refusal) {
	written, unit := splitUnit(text)
	scale, known := units[unit]
	value, ok := parseDecimal(written)
	if !known || !ok {
		return size{}, refuseSize(text)
	}
	if value.digits.Sign() == 0 {
		return size{}, refusef(zeroSize, "%s is no size: write at least 1GB; RDS allocates at least %s", quoted(text), smallestVolume)
	}
	bytes, ok := value.times(scale)
	if !ok || bytes > uint64(largestVolume)<<30 {
		return size{}, refusef(sizeAboveMaximum, "%s is larger than RDS's largest volume of %s (64Ti)", quoted(text), largestVolume)
	}
	return size{bytes}, nil
}

// splitUnit parts a number from its unit; an e belongs to the number when a digit follows.
func splitUnit(text string) (string, string) {
	digit := func(index int) bool { return index < len(text) && text[index] >= '0' && text[index] <= '9' }
	end := 0
	for end < len(text) && (digit(end) || text[end] == '.' || text[end] == 'e' && digit(end+1)) {
		end++
	}
	return text[:end], text[end:]
}

// decimal is digits × 10^(exponent - decimals).
type decimal struct {
	digits   *big.Int
	decimals int
	exponent int
}

// wide is more than any power of ten that can matter.
const wide = 100

func parseDecimal(text string) (decimal, bool) {
	mantissa, exponent, exponential := strings.Cut(text, "e")
	whole, fraction, fractional := strings.Cut(mantissa, ".")
	if !isDigits(whole) || fractional && !isDigits(fraction) || exponential && !isDigits(exponent) {
		return decimal{}, false
	}
	fraction = strings.TrimRight(fraction, "0")
	value := decimal{decimals: len(fraction)}
	value.digits, _ = new(big.Int).SetString(whole+fraction, 10)
	for _, c := range []byte(exponent) {
		value.exponent = min(value.exponent*10+int(c-'0'), wide+len(fraction))
	}
	return value, true
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// times gives the number times a scale, rounded up; false when it is out of any range.
func (d decimal) times(scale uint64) (uint64, bool) {
	product := new(big.Int).Mul(d.digits, new(big.Int).SetUint64(scale))
	if product.BitLen() > 128 {
		return 0, false
	}
	power := d.exponent - d.decimals
	if power < -wide {
		return 1, true
	}
	factor := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(power, -power))), nil)
	if power >= 0 {
		product.Mul(product, factor)
	} else {
		product.Add(product, factor).Sub(product, big.NewInt(1)).Div(product, factor)
	}
	return product.Uint64(), product.IsUint64()
}

func refuseSize(text string) *refusal {
	compact := strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) || c == '_' || c == ',' {
			return -1
		}
		return c
	}, text)
	written, unit := splitUnit(compact)
	return refusef(malformedSize, "%s is not a size: write a number and GB or Gi (TB or Ti), such as 10GB or 20Gi%s",
		quoted(text), sizeMeant(written, strings.ToLower(unit)))
}

func sizeMeant(written, unit string) string {
	switch unit {
	case "", "g", "gb":
		unit = "GB"
	case "gi", "gib":
		unit = "Gi"
	case "t", "tb":
		unit = "TB"
	case "ti", "tib":
		unit = "Ti"
	// RDS deals in nothing smaller than a gibibyte.
	case "m", "mb":
		return wholeMeant(written, 1000, "GB")
	case "mi", "mib":
		return wholeMeant(written, 1024, "Gi")
	default:
		return ""
	}
	if _, ok := parseDecimal(written); !ok {
		return ""
	}
	return didYouMean(written + unit)
}

func wholeMeant(written string, per uint64, unit string) string {
	value, err := strconv.ParseUint(written, 10, 64)
	if err != nil {
		return ""
	}
	whole := value / per
	if value%per != 0 {
		whole++
	}
	return didYouMean(strconv.FormatUint(whole, 10) + unit)
}
