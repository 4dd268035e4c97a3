package command

import "testing"

// A released program has its version from the linker.
func TestVersion(t *testing.T) {
	if v := Version(); v == "" {
		t.Error("it has none")
	}
	release = "v1.2.3"
	t.Cleanup(func() { release = "" })
	if v := Version(); v != release {
		t.Errorf("got %s, want %s", v, release)
	}
}
