package feature

import (
	"math"
	"time"

	"github.com/skiff-ml/skiff/inference/bundle"
)

// A timePart is the part of a time that a column has, as pandas has it. The
// times are those that every pandas reads alike: text of the years 1678 to 2261,
// numbers of 1834 to 2106.
type timePart struct {
	of        func(t time.Time) int
	perSecond float64 // of a number since 1970: 1 or 1000; 0: text
	utc       bool    // text is taken to UTC, and one without a zone is there already
}

func compileTime(c *bundle.Time) *timePart {
	t := &timePart{of: partOf(c.Part), utc: c.Zone == bundle.UTC}
	switch c.Epoch {
	case bundle.Seconds:
		t.perSecond = 1
	case bundle.Milliseconds:
		t.perSecond = 1000
	}
	return t
}

func partOf(name string) func(time.Time) int {
	switch name {
	case "year":
		return time.Time.Year
	case "quarter":
		return func(t time.Time) int { return (int(t.Month()) + 2) / 3 }
	case "month":
		return func(t time.Time) int { return int(t.Month()) }
	case "week": // of ISO 8601: isocalendar().week
		return func(t time.Time) int { _, week := t.ISOWeek(); return week }
	case "day":
		return time.Time.Day
	case "day_of_year":
		return time.Time.YearDay
	case "weekday": // Monday is 0
		return func(t time.Time) int { return (int(t.Weekday()) + 6) % 7 }
	case "hour":
		return time.Time.Hour
	case "minute":
		return time.Time.Minute
	}
	return time.Time.Second
}

func (t *timePart) expected() string {
	switch t.perSecond {
	case 1:
		return "a time in seconds since 1970"
	case 1000:
		return "a time in milliseconds since 1970"
	}
	return "a time in ISO 8601"
}

const firstYear, lastYear = 1678, 2261

// ofEpoch returns the part of a time in seconds or milliseconds since 1970, UTC.
func (t *timePart) ofEpoch(x float64) (float64, answer) {
	const beyond = 1 << 32 // seconds; what is less every pandas has right, as a float too
	if !(math.Abs(x) < beyond*t.perSecond) {
		return 0, unreadable
	}
	whole := math.Floor(x)
	units := int64(t.perSecond)
	seconds, rest := int64(whole)/units, int64(whole)%units
	if rest < 0 {
		seconds, rest = seconds-1, rest+units
	}
	// Less than two nanoseconds before a second pandas' versions differ on which it is.
	if rest == units-1 && x-whole > 1-2e-9*t.perSecond {
		return 0, unreadable
	}
	return float64(t.of(time.Unix(seconds, 0).UTC())), isNumber
}

// ofText returns the part of a time in ISO 8601: of its own clock, or of UTC.
func (t *timePart) ofText(text []byte) (float64, answer) {
	switch string(text) {
	case "", "NaT", "nat", "NAT", "nan", "NaN", "NAN": // to_datetime makes NaT of them
		return 0, isNull
	}
	c := clock{text: text, ok: true}
	at, offset := c.time()
	if !c.ok || at.Year() < firstYear || at.Year() > lastYear {
		return 0, unreadable
	}
	if t.utc {
		at = at.Add(-offset)
	}
	return float64(t.of(at)), isNumber
}

// A clock reads a time, 2021-03-04T05:06:07.89+01:00 or what of it is left out
// from the end or the zone; ok is false once there is something else.
type clock struct {
	text []byte
	ok   bool
}

// time moves past all of it, and returns what the clock shows and how far it is
// ahead of UTC.
func (c *clock) time() (at time.Time, ahead time.Duration) {
	year := c.digits(4)
	c.skip('-')
	month := c.digits(2)
	c.skip('-')
	day := c.digits(2)
	var hour, minute, second int
	if len(c.text) > 0 {
		if !c.may('T') {
			c.skip(' ')
		}
		if hour = c.digits(2); c.may(':') {
			if minute = c.digits(2); c.may(':') {
				if second = c.digits(2); c.may('.') {
					c.fraction()
				}
			}
		}
		ahead = c.zone()
	}
	at = time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	c.ok = c.ok && len(c.text) == 0 && 1 <= month && month <= 12 && at.Day() == day && hour < 24 && minute < 60 && second < 60
	return at, ahead
}

// zone moves past Z, +01, +0100 or +01:00, if that is next.
func (c *clock) zone() time.Duration {
	sign := time.Minute
	switch {
	case len(c.text) == 0 || c.may('Z'):
		return 0
	case c.may('-'):
		sign = -time.Minute
	default:
		c.skip('+')
	}
	hours, minutes := c.digits(2), 0
	if len(c.text) > 0 {
		c.may(':')
		minutes = c.digits(2)
	}
	c.ok = c.ok && hours < 24 && minutes < 60
	return time.Duration(60*hours+minutes) * sign
}

// fraction moves past one digit to nine.
func (c *clock) fraction() {
	n := 0
	for n < len(c.text) && '0' <= c.text[n] && c.text[n] <= '9' {
		n++
	}
	c.ok = c.ok && 1 <= n && n <= 9
	c.text = c.text[n:]
}

// digits moves past a number of n digits.
func (c *clock) digits(n int) int {
	if c.ok = c.ok && len(c.text) >= n; !c.ok {
		return 0
	}
	x := 0
	for _, d := range c.text[:n] {
		c.ok = c.ok && '0' <= d && d <= '9'
		x = 10*x + int(d-'0')
	}
	c.text = c.text[n:]
	return x
}

// skip moves past b, which has to be next.
func (c *clock) skip(b byte) { c.ok = c.may(b) && c.ok }

// may moves past b if that is next.
func (c *clock) may(b byte) bool {
	if len(c.text) == 0 || c.text[0] != b {
		return false
	}
	c.text = c.text[1:]
	return true
}
