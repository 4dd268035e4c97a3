package main

import (
	"bytes"
	"os"
	"strings"

	"github.com/skiff-ml/skiff/inference/bundle"
)

const (
	manifestFile = bundle.ManifestFile
	modelFile    = bundle.ModelFile
	goldenFile   = bundle.GoldenFile
)

func damagedFiles() []damage {
	return []damage{
		{"half a model", cut(modelFile, false), "was altered"},
		{"half a model that the manifest knows", cut(modelFile, true), "no protobuf message"},
		{"no bytes of a model", large(modelFile, 0), "was altered"},
		{"half the goldens", cut(goldenFile, false), "was altered"},
		{"half the goldens that the manifest knows", cut(goldenFile, true), "line 1"},
		{"half a manifest", cut(manifestFile, false), "reading manifest.json"},
		{"no bytes of a manifest", large(manifestFile, 0), "reading manifest.json"},
		{"a byte of the model", func(c copied) error {
			data, err := os.ReadFile(c.path(modelFile))
			if err == nil {
				data[len(data)/2] ^= 1
				err = os.WriteFile(c.path(modelFile), data, 0o600)
			}
			return err
		}, "was altered"},
		{"no model", func(c copied) error { return os.Remove(c.path(modelFile)) }, "is not whole"},
		{"no goldens", func(c copied) error { return os.Remove(c.path(goldenFile)) }, "is not whole"},
		{"a pipe as the model", another(modelFile, fifo), "is no file"},
		{"a pipe as the manifest", another(manifestFile, fifo), "is no file"},
		{"a folder as the model", another(modelFile, func(path string) error { return os.Mkdir(path, 0o700) }), "is no file"},
		{"a link out of the folder", another(modelFile, link("../../../../../../etc/passwd")), "makes no sense: open"},
		{"a link to a device", another(goldenFile, link("/dev/zero")), "makes no sense: open"},
		{"a link to itself", another(modelFile, link(modelFile)), "makes no sense: open"},
		{"a manifest of a gigabyte", large(manifestFile, 1<<30), "larger than"},
		{"a model of a terabyte", large(modelFile, 1<<40), "larger than"},
		{"goldens of a gigabyte", large(goldenFile, 1<<30), "larger than"},
		{"a model of zeros", func(c copied) error {
			if err := os.Truncate(c.path(modelFile), 1<<20); err != nil {
				return err
			}
			return c.seal(nil)
		}, "is no protobuf message"},
		{"a zipped model", func(c copied) error {
			return c.change(modelFile, func([]byte) []byte { return []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00") })
		}, "is no graph that the converter writes"},
	}
}

// columns are so many numbers.
func columns(n int) string {
	const column = `{"name": "n", "kind": "number", "path": ["n"], "missing": "zero", "null": "nan", "text": "reject"},`
	return strings.TrimSuffix(strings.Repeat(column, n), ",")
}

// longManifest has so many times a text in its columns.
func longManifest(before, text string, times int, after string) func(copied) error {
	return func(c copied) error {
		f, err := os.Create(c.path(manifestFile))
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := f.WriteString(before); err != nil {
			return err
		}
		if err := many(f, text, times); err != nil {
			return err
		}
		_, err = f.WriteString(after)
		return err
	}
}

func output(change func(map[string]any)) func(copied) error {
	return func(c copied) error {
		return c.manifest(func(m map[string]any) { change(m["outputs"].([]any)[0].(map[string]any)) })
	}
}

func column(i int, field string, value any) func(copied) error {
	return func(c copied) error {
		return c.manifest(func(m map[string]any) { m["columns"].([]any)[i].(map[string]any)[field] = value })
	}
}

func damagedManifests() []damage {
	const head = `{"format": 3, "run_id": "r", "columns": [`
	return []damage{
		{"another run", set("run_id", "another"), "is of another run"},
		{"a run that is a path", set("run_id", "../../another"), "is not a run id"},
		{"a format of later", set("format", 4), "reads formats 1 to 3"},
		{"a format that is text", set("format", "3"), "makes no sense"},
		{"a list as the manifest", file(manifestFile, "[]"), "makes no sense"},
		{"lists in lists", longManifest(head, "[", 1_000_000, ""), "makes no sense"},
		{"fifty thousand columns", longManifest(head, columns(1)+",", 50_000, columns(1)+`], "model": "m"}`), "makes no sense"},
		{"five million words", longManifest(head+`{"vocabulary": [`, `"word",`, 5_000_000, `"w"]}]}`), "values, and"},
		{"a word twice", column(0, "vocabulary", []string{"1_1", "1_1"}), "is repeated"},
		{"a word that is null", column(0, "vocabulary", []any{nil}), "makes text"},
		{"a key twice", rewrite(manifestFile, `"model"`, `"format": 3, "model"`), "duplicate"},
		{"bytes that are no text", rewrite(manifestFile, `"model"`, "\"\xff\": 1, \"model\""), "invalid UTF-8"},
		{"two outputs of a name", func(c copied) error {
			return c.manifest(func(m map[string]any) { m["outputs"] = append(m["outputs"].([]any), m["outputs"].([]any)[0]) })
		}, "two fields of the output have the name"},
		{"an output of the id's name", output(func(o map[string]any) { o["name"] = "ride_id" }), "two fields of the output have the name"},
		{"a probability of the output's name", output(func(o map[string]any) {
			delete(o, "unit")
			o["kind"], o["labels"], o["link"], o["decide"], o["probabilities"] = "label", []string{"a", "b"}, "expit", "scores", o["name"]
		}), "two fields of the output have the name"},
		{"labels of one text", output(func(o map[string]any) {
			delete(o, "unit")
			o["kind"], o["labels"], o["link"], o["decide"] = "label", []any{"7", 7}, "expit", "scores"
		}), "two of its labels have the text"},
		{"a billion scores", output(func(o map[string]any) { o["width"] = 1_000_000_000 }), "scores, and"},
		{"a billion margins", output(func(o map[string]any) {
			delete(o, "unit")
			o["kind"], o["labels"], o["link"], o["decide"] = "label", []string{"a", "b"}, "expit", "scores"
			o["margin"], o["margins"] = "m", 1<<62
		}), "scores, and"},
		{"a billion scores of a part", output(func(o map[string]any) {
			for key := range o {
				if key != "name" {
					delete(o, key)
				}
			}
			o["kind"], o["parts"] = "labels", []any{map[string]any{
				"width": 1_000_000_000, "labels": []string{"a", "b"}, "link": "identity", "decide": "scores",
			}}
		}), "scores, and"},
		{"labels without parts", output(func(o map[string]any) { o["kind"] = "labels" }), "have what is for each in their parts"},
		{"no scores", output(func(o map[string]any) { o["width"] = -1 }), "a width of -1"},
		{"another link", output(func(o map[string]any) { o["link"] = "exp" }), "is not equal to its golden"},
		{"a column less", func(c copied) error {
			return c.manifest(func(m map[string]any) { m["columns"] = m["columns"].([]any)[:1] })
		}, "has not the manifest's 1 columns"},
		{"columns the other way round", func(c copied) error {
			return c.manifest(func(m map[string]any) {
				of := m["columns"].([]any)
				of[0], of[1] = of[1], of[0]
			})
		}, "is not equal to its golden"},
		{"more words than weights", func(c copied) error {
			return c.manifest(func(m map[string]any) {
				of := m["columns"].([]any)[0].(map[string]any)
				of["vocabulary"] = append(of["vocabulary"].([]any), "0_0")
			})
		}, "in a table of"},
		{"a path of nothing", column(1, "path", []string{}), "needs a path or a template"},
		{"a digest of another file", func(c copied) error {
			return rewrite(manifestFile, `"files": {`, `"files": {"../../etc/passwd": "`+strings.Repeat("0", 64)+`", `)(c)
		}, "it has 4 files beside itself"},
	}
}

// rewrite changes text of a file; the digests stay as they are.
func rewrite(name, old, with string) func(copied) error {
	return func(c copied) error {
		data, err := os.ReadFile(c.path(name))
		if err != nil {
			return err
		}
		return os.WriteFile(c.path(name), []byte(strings.Replace(string(data), old, with, 1)), 0o600)
	}
}

// goldens keeps the lines of the goldens that are wanted.
func goldens(keep func(line string) bool) func(copied) error {
	return func(c copied) error {
		return c.change(goldenFile, func(data []byte) []byte {
			var kept strings.Builder
			for line := range strings.Lines(string(data)) {
				if keep(line) {
					kept.WriteString(line)
				}
			}
			return []byte(kept.String())
		})
	}
}

// line is one more golden.
func line(text string) func(copied) error {
	return func(c copied) error {
		return c.change(goldenFile, func(data []byte) []byte { return append(data, text+"\n"...) })
	}
}

func damagedGoldens() []damage {
	const record = `{"record": "{\"ride\": {\"PULocationID\": 1, \"DOLocationID\": 1, \"trip_distance\": 1}, \"ride_id\": 1}", `
	return []damage{
		{"no goldens at all", goldens(func(string) bool { return false }), "no records"},
		{"rejections alone", goldens(func(line string) bool { return strings.Contains(line, `"reject"`) }), "no predictions"},
		{"a bound of everything", func(c copied) error {
			return c.change(goldenFile, func(data []byte) []byte {
				return bytes.ReplaceAll(data, []byte("}}\n"), []byte("}, \"within\": 1e300}\n"))
			})
		}, "have a bound so wide that it proves nothing"},
		{"a bound that is infinite", line(record + `"outputs": {"ride_duration": 1}, "within": 1e999}`), "line 241"},
		{"a prediction of NaN", line(record + `"outputs": {"ride_duration": NaN}}`), "line 241"},
		{"a prediction beyond float64", line(record + `"outputs": {"ride_duration": 1e999}}`), "line 241"},
		{"a prediction of text", line(record + `"outputs": {"ride_duration": "1"}}`), "line 241"},
		{"another prediction", line(record + `"outputs": {"ride_duration": 1}}`), "is not equal to its golden 241"},
		{"a prediction of no output", line(record + `"outputs": {"tip": 1}}`), "line 241"},
		{"another reason", line(record + `"reject": "not_json"}`), "is not equal to its golden 241"},
		{"a reason that is none", line(record + `"reject": "tired"}`), `no reason "tired"`},
		{"nothing of a record", line(`{}`), "line 241"},
		{"an empty line", line(""), "line 241"},
	}
}
