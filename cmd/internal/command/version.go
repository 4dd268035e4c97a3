package command

import "runtime/debug"

// release is the version of a released program, which the linker sets:
// go build -ldflags "-X github.com/skiff-ml/skiff/cmd/internal/command.release=v1.2.3".
var release string //nolint:gochecknoglobals // the linker sets it

// Version returns that, or the module's, as `go install MODULE@VERSION` has it, or
// the commit that the program was built from.
func Version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (v == "" || v == "(devel)") {
			v = s.Value
		}
	}
	return v
}
