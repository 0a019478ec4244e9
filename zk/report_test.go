package zk

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRoom(t *testing.T) {
	for _, tt := range []struct {
		constraints, domain, room int
		suggestion                string
	}{
		{1, 1, 0, ""},
		{1024, 1024, 0, ""},
		{1025, 2048, 1023, "1 constraints fewer would halve the FFT domain to 1,024"},
		{1126, 2048, 922, "102 constraints fewer would halve the FFT domain to 1,024"},
		{1127, 2048, 921, ""},
		{1_153_433, 1 << 21, 943_719, "104,857 constraints fewer would halve the FFT domain to 1,048,576"},
	} {
		r := &Report{Sizes: Sizes{Constraints: tt.constraints, Domain: tt.domain}}
		if r.room(); r.Room != tt.room || r.Suggestion != tt.suggestion {
			t.Errorf("%d of %d: room %d, suggestion %q; want %d, %q", tt.constraints, tt.domain, r.Room, r.Suggestion, tt.room, tt.suggestion)
		}
	}
}

func TestShows(t *testing.T) {
	r := &Report{}
	r.manifest(Spec{Kind: Inference, Hashed: true})
	for _, tt := range []struct {
		in, out Visibility
		public  string
		private []string
	}{
		{0, 0, "as Prove is told", []string{"every value between input and output"}},
		{Committed, Hashed, "random salt", []string{"every value between input and output", "the input"}},
		{Public, Committed, "the input: itself", []string{"every value between input and output", "the output"}},
		{Hashed, Public, "guesses can be checked", []string{"every value between input and output"}},
	} {
		r.Shows(tt.in, tt.out)
		if !strings.Contains(strings.Join(r.Public, "\n"), tt.public) || !slices.Equal(r.Private, tt.private) {
			t.Errorf("input %v, output %v: public %q, private %q", tt.in, tt.out, r.Public, r.Private)
		}
	}
}

func TestUnits(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1: "-1", -1000: "-1,000"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) is %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0 µs", 1500: "1.5 µs", 12345678: "12.3 ms", 346 * time.Second: "346 s", 5000 * time.Second: "5000 s"} {
		if got := seconds(d); got != want {
			t.Errorf("seconds(%v) is %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 360: "360 B", 44_700_000: "44.7 MB", 999_999: "1000 kB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) is %q, want %q", n, got, want)
		}
	}
}
