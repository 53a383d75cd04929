package rules

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// interval is a duration in whole seconds.
type interval uint64

const (
	minute interval = 60
	hour            = 60 * minute
	oneDay          = 24 * hour
	week            = 7 * oneDay

	// RDS allows 100 manual snapshots a Region by default.
	shortestEvery = 30 * minute
	// Nothing is kept longer than this.
	longestEvery = 35 * oneDay
	// Source: RDS API, CreateDBInstance, BackupRetentionPeriod.
	longestRetention = 35 * oneDay
)

func (i interval) String() string {
	switch {
	case i == 0:
		return "0m"
	case i%week == 0:
		return fmt.Sprintf("%dw", i/week)
	case i%oneDay == 0:
		return fmt.Sprintf("%dd", i/oneDay)
	case i%hour == 0:
		return fmt.Sprintf("%dh", i/hour)
	default:
		return fmt.Sprintf("%dm", i/minute)
	}
}

func parseInterval(text string) (interval, *refusal) {
	malformed := func(hint string) *refusal {
		return refusef(malformedDuration, "%s is not a duration: write a whole number and one of m, h, d, w, such as 30m, 6h, 7d or 2w%s", quoted(text), hint)
	}
	unit := strings.TrimLeft(text, "0123456789")
	written := text[:len(text)-len(unit)]
	var seconds interval
	switch unit {
	case "m":
		seconds = minute
	case "h":
		seconds = hour
	case "d":
		seconds = oneDay
	case "w":
		seconds = week
	default:
		return 0, malformed(unitMeant(written, unit))
	}
	if written == "" || len(written) > 1 && written[0] == '0' {
		return 0, malformed("")
	}
	value, err := strconv.ParseUint(written, 10, 64)
	high, product := bits.Mul64(value, uint64(seconds))
	if err != nil || high != 0 {
		return 0, refusef(durationOutOfRange, "%s is longer than any backup is kept", quoted(text))
	}
	return interval(product), nil
}

func unitMeant(written, unit string) string {
	if written == "" {
		return rhythms.meant(unit)
	}
	switch strings.ToLower(strings.TrimSpace(unit)) {
	case "m", "min", "mins", "minute", "minutes":
		unit = "m"
	case "h", "hr", "hrs", "hour", "hours":
		unit = "h"
	case "d", "day", "days":
		unit = "d"
	case "w", "week", "weeks":
		unit = "w"
	default:
		return ""
	}
	return didYouMean(written + unit)
}

var rhythms = foreignWords{"hourly": "1h", "daily": "24h", "weekly": "7d"}

func parseEvery(text string) (interval, *refusal) {
	every, refused := parseInterval(text)
	if refused == nil && (every < shortestEvery || every > longestEvery) {
		refused = refusef(durationOutOfRange, "%s is out of range: the time between two backups is 30m to 35d", quoted(text))
	}
	return every, refused
}

func parseRetention(text string) (interval, *refusal) {
	retention, refused := parseInterval(text)
	switch {
	case refused != nil:
		return 0, refused
	case retention == 0:
		return 0, refusef(zeroRetention, "%s would turn automated backups off, and with them point-in-time recovery: write 1d to 35d", quoted(text))
	case retention%oneDay != 0:
		return 0, refusef(retentionNotInDays, "%s is not a whole number of days, the unit RDS keeps backups by: write 1d to 35d", quoted(text))
	case retention > longestRetention:
		return 0, refusef(durationOutOfRange, "%s is longer than the 35 days RDS keeps automated backups: write 1d to 35d", quoted(text))
	}
	return retention, nil
}
