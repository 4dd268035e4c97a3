package store

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/skiff-ml/skiff/inference/hint"
)

// A Location is a prefix in a bucket.
type Location struct{ bucket, prefix string }

// bucketName is a bucket's name, by S3's rules for general purpose buckets.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// CheckBucket returns an error for what cannot be a bucket's name.
func CheckBucket(name string) error {
	if bucketName.MatchString(name) && !strings.Contains(name, "..") {
		return nil
	}
	return hint.With(fmt.Errorf("%q is not the name of a bucket", name),
		"a name has 3 to 63 lower case letters, digits, dots and hyphens, no s3:// before it and no folder after it")
}

// ParseLocation reads s3://bucket/prefix.
func ParseLocation(s string) (Location, error) {
	rest, ok := strings.CutPrefix(s, "s3://")
	bucket, prefix, _ := strings.Cut(rest, "/")
	if !ok || bucket == "" {
		return Location{}, hint.With(fmt.Errorf("%q is not of the form s3://bucket/prefix", s),
			"a bundle is in s3://{MODEL_BUCKET}/{MLFLOW_EXPERIMENT_ID}/{RUN_ID}/artifacts/onnx")
	}
	return Location{bucket, strings.Trim(prefix, "/")}, CheckBucket(bucket)
}

// key returns the key of a file.
func (l Location) key(name string) string {
	if l.prefix == "" {
		return name
	}
	return l.prefix + "/" + name
}
