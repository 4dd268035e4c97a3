package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/ministack"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/runtimeapi"
	"github.com/skiff-ml/skiff/cmd/internal/localstate"
)

func functionARN() string {
	return fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", ministack.Region, ministack.Account, functionName)
}

// makeFunction makes the worker a function.
func (st *stack) makeFunction() (err error) {
	st.function, err = st.newFunction("", nil)
	return err
}

// newFunction makes the worker a function. It runs in an empty folder, with the environment Lambda and its configuration would give it and
// nothing of ours, so that its bundle can only come from S3. Where more is not nil, each environment gets its variables as well, the last of a
// name winning. What is made beside another function has a number.
func (st *stack) newFunction(number string, more func() []string) (*runtimeapi.Function, error) {
	log, err := st.createLog("worker" + number + ".log")
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(st.temp, "task"+number)
	if err := os.Mkdir(dir, 0o750); err != nil {
		return nil, fmt.Errorf("making the worker's folder: %w", err)
	}
	s := st.settings
	env := []string{
		"PREDICTIONS_STREAM_NAME=" + localstate.PredictionsStream,
		"RUN_ID=" + s.runID,
		"MODEL_BUCKET=" + localstate.ModelBucket,
		"MLFLOW_EXPERIMENT_ID=" + s.experiment,
		"REPORT_BATCH_ITEM_FAILURES=True", // the mapping reads them
		"AWS_ENDPOINT_URL=" + st.ministack.Endpoint,
		"AWS_REGION=" + ministack.Region,
		"AWS_DEFAULT_REGION=" + ministack.Region,
		"AWS_ACCESS_KEY_ID=" + ministack.AccessKey,
		"AWS_SECRET_ACCESS_KEY=" + ministack.AccessKey,
		"AWS_LAMBDA_FUNCTION_NAME=" + functionName,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(s.memory),
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"LAMBDA_TASK_ROOT=" + dir,
		"_HANDLER=bootstrap",
		"LANG=en_US.UTF-8",
		"TZ=:UTC",
		"PATH=/usr/local/bin:/usr/bin:/bin",
		"TMPDIR=" + st.temp,
	}
	if s.deadLetters {
		env = append(env, "DEAD_LETTER=s3://"+localstate.DeadLetterBucket+"/"+localstate.DeadLetterPrefix)
	}
	if s.onnxruntime != "" {
		env = append(env, "ONNXRUNTIME_LIB="+s.onnxruntime)
	}
	function := runtimeapi.New(runtimeapi.Config{
		ARN:     functionARN(),
		Timeout: s.timeout,
		Command: func(api string) *exec.Cmd {
			cmd := exec.Command(s.worker) //nolint:noctx // named on the command line; stopped with its group by the function
			cmd.Dir = dir
			cmd.Env = append(append(slices.Clip(env), st.env...), "AWS_LAMBDA_RUNTIME_API="+api)
			if more != nil {
				cmd.Env = append(cmd.Env, more()...)
			}
			cmd.Stdout, cmd.Stderr = log, log
			return cmd
		},
	})
	st.closers = append(st.closers, function.Close)
	return function, nil
}

// startWorker starts the worker and waits until it asks for its first invocation. It fails with the worker's own words.
func (st *stack) startWorker(ctx context.Context) error {
	err := st.function.Start(ctx)
	if start := (*runtimeapi.StartError)(nil); errors.As(err, &start) {
		return st.problem(fmt.Errorf("the worker did not start: %s", start.Reason), "worker.log")
	}
	return err
}

// scorer is the worker as the mapping invokes it. It counts the predictions that come back.
type scorer struct {
	function *runtimeapi.Function
	scored   atomic.Int64
}

var _ mapping.Invoker = (*scorer)(nil)

// Invoke invokes the worker.
func (s *scorer) Invoke(ctx context.Context, event []byte) (mapping.Result, error) {
	result, err := s.function.Invoke(ctx, event)
	if err == nil && result.FunctionError == "" {
		var response struct {
			Predictions []json.RawMessage `json:"predictions"`
		}
		if json.Unmarshal(result.Payload, &response) == nil { // the mapping judges the response
			s.scored.Add(int64(len(response.Predictions)))
		}
	}
	return mapping.Result(result), err
}
