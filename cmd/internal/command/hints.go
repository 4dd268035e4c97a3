package command

import (
	"errors"

	"github.com/skiff-ml/skiff/cmd/internal/library"
	"github.com/skiff-ml/skiff/inference/alias"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/graph"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/model"
)

// Onnxruntime is what to do where onnxruntime is not to be had.
const Onnxruntime = "set ONNXRUNTIME_LIB to libonnxruntime.so of version 1.24 or later, or `" + library.Install + "`; in a checkout, `make onnxruntime`"

const convertAgain = "convert the run again with `make convert MODEL=...`, or restore the folder"

// Hint returns what to do about err: its own hint, or else that of its class.
func Hint(err error) string {
	if own := hint.Of(err); own != "" {
		return own
	}
	for _, class := range []struct {
		err  error
		hint string
	}{
		{alias.ErrPointer, "`skiff history` reads it, `skiff promote <RUN_ID>` writes one: restore it, or delete it and promote"},
		{bundle.ErrRunID, "an MLflow run id is 32 hexadecimal digits; it names the bundle's folder"},
		{bundle.ErrOtherRun, "point RUN_ID and MODEL_LOCATION at the same run"},
		{bundle.ErrFormat, "deploy a worker as new as the converter, or convert the run again with this one's"},
		{bundle.ErrInvalid, convertAgain},
		{bundle.ErrIncomplete, convertAgain},
		{bundle.ErrAltered, convertAgain},
		{bundle.ErrUntrusted, "MODEL_SHA256 and MODEL_PUBLIC_KEY say which bundle may be served: sign it with `make convert SIGN=KEY ...`, or find out who wrote it"},
		{bundle.ErrKey, "it is what `openssl pkey -in KEY -pubout` prints, or the base64 in it"},
		{graph.ErrForeign, "serve only what this project's converter wrote; was it another version's? then deploy a worker as new, or " + convertAgain},
		{model.ErrNotProved, "the bundle, this worker or its onnxruntime differ from those of the conversion: " + convertAgain},
		{model.ErrRuntime, Onnxruntime},
	} {
		if errors.Is(err, class.err) {
			return class.hint
		}
	}
	return ""
}
