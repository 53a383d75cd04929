package rules

import "time"

// lifecycle says how long a major version is supported.
type lifecycle struct {
	engine engine
	major  majorVersion
	// The last days of standard support and of Extended Support.
	standardEnd, extendedEnd time.Time
	// offered says whether a specification may ask for it.
	offered bool
}

// extendedStart is the first day of Extended Support.
func (l *lifecycle) extendedStart() time.Time { return l.standardEnd.AddDate(0, 0, 1) }

// dearerStart is the first day of the third year of Extended Support, from which on its fee is higher.
// Source: RDS pricing, "Amazon RDS Extended Support", year 3.
func (l *lifecycle) dearerStart() time.Time { return l.extendedStart().AddDate(2, 0, 0) }

func day(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// lifecycles are those of every known major version, the oldest of an engine first.
//
// Source: "Release calendars" of the Amazon RDS user guide for PostgreSQL and for MySQL, as of 2026-11.
var lifecycles = []lifecycle{
	{postgresql, majorVersion{11, noPart}, day(2024, 2, 29), day(2027, 3, 31), false},
	{postgresql, majorVersion{12, noPart}, day(2025, 2, 28), day(2028, 2, 29), true},
	{postgresql, majorVersion{13, noPart}, day(2026, 2, 28), day(2029, 2, 28), true},
	{postgresql, majorVersion{14, noPart}, day(2027, 2, 28), day(2030, 2, 28), true},
	{postgresql, majorVersion{15, noPart}, day(2028, 2, 29), day(2031, 2, 28), true},
	{postgresql, majorVersion{16, noPart}, day(2029, 2, 28), day(2032, 2, 29), true},
	{postgresql, majorVersion{17, noPart}, day(2030, 2, 28), day(2033, 2, 28), true},
	{postgresql, majorVersion{18, noPart}, day(2031, 2, 28), day(2034, 2, 28), true},
	{mysql, majorVersion{5, 7}, day(2024, 2, 29), day(2029, 6, 30), false},
	{mysql, majorVersion{8, 0}, day(2026, 7, 31), day(2029, 7, 31), true},
	{mysql, majorVersion{8, 4}, day(2029, 7, 31), day(2032, 7, 31), true},
}

func lifecycleOf(e engine, major majorVersion) *lifecycle {
	for index := range lifecycles {
		if lifecycles[index].engine == e && lifecycles[index].major == major {
			return &lifecycles[index]
		}
	}
	return nil
}

// newest is the newest major version a specification may ask for.
func newest(e engine) majorVersion {
	var newest majorVersion
	for _, lifecycle := range lifecycles {
		if lifecycle.engine == e && lifecycle.offered {
			newest = lifecycle.major
		}
	}
	return newest
}
