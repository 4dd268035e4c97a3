package localstate_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/cmd/internal/localstate"
)

func TestState(t *testing.T) {
	dir := t.TempDir()
	if st, err := localstate.Read(dir); st != nil || err != nil {
		t.Errorf("nothing is up: %v, %v", st, err)
	}
	want := localstate.State{RunID: "r", ID: []string{"ride", "id"}, Endpoint: "http://127.0.0.1:1", PID: 2, MinistackPID: 3, Temp: "t"}
	if err := want.Write(dir); err != nil {
		t.Fatal(err)
	}
	if got, err := localstate.Read(dir); err != nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("read %+v, %v", got, err)
	}
	if err := os.WriteFile(localstate.Path(dir), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := localstate.Read(dir); err == nil || !strings.Contains(err.Error(), "state.json") {
		t.Errorf("half a file: %v", err)
	}
	if err := want.Write(filepath.Join(dir, "none")); err == nil {
		t.Error("it is written into no folder")
	}
}
