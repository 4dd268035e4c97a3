package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/skiff-ml/skiff/inference/hint"
)

func (s *settings) tail() *cobra.Command {
	var of flowOf
	var want tailed
	stream, letters := "", ""
	cmd := &cobra.Command{
		Use: "tail [--predictions | --rejections] [--from-beginning] [-n N]", Short: "Follow predictions and rejections, as they come", Args: cobra.NoArgs,
		Long: `Prints predictions and rejections as they come, each a line of JSON, until Ctrl-C. A prediction is as the worker wrote it, out of an aggregate as
well. A rejection is its dead letter without the record's bytes: the reason is in "rejected", and with it are the field, what is expected
and found there, and the record's id, key and sequence number.

` + aboutFlow + ` Then PREDICTIONS_STREAM_NAME and DEAD_LETTER are the worker's. A queue is not followed, since whoever reads a message keeps it from others.`,
		Example: `  skiff tail
  skiff tail --from-beginning -n 20
  skiff tail --predictions -n 1
  skiff tail --rejections | jq .rejected`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case want.most < 0:
				return usage(errors.New("-n is less than 0"))
			case want.rejections && want.predictions:
				return usage(errors.New("--predictions and --rejections exclude each other"))
			}
			f, err := s.flow(cmd.Context(), &of)
			if err != nil {
				return err
			}
			if stream != "" {
				f.predictions = stream
			}
			if letters != "" {
				f.letters = letters
			}
			if err = s.follow(cmd.Context(), f, want); cmd.Context().Err() == nil {
				return err
			}
			return nil // Ctrl-C is how it ends
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&want.rejections, "rejections", false, "rejections alone")
	flags.BoolVar(&want.predictions, "predictions", false, "predictions alone")
	flags.BoolVar(&want.all, "from-beginning", false, "what is there already, too")
	flags.IntVarP(&want.most, "n", "n", 0, "end after so many lines (default: never)")
	flags.StringVar(&stream, "stream", "", "the stream of predictions (default: ride-predictions)")
	flags.StringVar(&letters, "dead-letters", "", "where dead letters are: s3://BUCKET/PREFIX or kinesis://STREAM")
	of.flags(cmd)
	return cmd
}

// A tailed is what is to be followed.
type tailed struct {
	rejections, predictions bool // nothing else

	all  bool // from the beginning
	most int  // lines; 0: without end
}

// A poller hands over what has come since it was asked before.
type poller interface {
	poll(ctx context.Context, line func([]byte) error) error
}

// errEnough is that as many lines are printed as were asked for.
var errEnough = errors.New("that is enough")

// follow prints what comes, until it is enough or ctx is done.
func (s *settings) follow(ctx context.Context, f *flow, want tailed) error {
	var pollers []poller
	var names []string
	if !want.rejections {
		pollers = append(pollers, newStreamTail(f.kinesis(f.predictions), f.predictions, want.all, asItIs))
		names = append(names, f.predictions)
	}
	letters, err := lettersTail(f, want.all)
	switch {
	case want.predictions:
	case err == nil:
		pollers = append(pollers, letters)
		names = append(names, f.letters)
	case want.rejections:
		return err
	case f.letters != "":
		fmt.Fprintf(s.stderr, "%s: %v\n", f.letters, err)
	}
	n := 0
	line := func(text []byte) error {
		if _, err := s.stdout.Write(append(text, '\n')); err != nil {
			return err
		}
		if n++; n == want.most {
			return errEnough
		}
		return nil
	}
	tick := time.NewTicker(f.interval)
	defer tick.Stop()
	for followed := false; ; followed = true {
		for i, p := range pollers {
			if err := p.poll(ctx, line); errors.Is(err, errEnough) {
				return nil
			} else if err != nil {
				return hint.With(fmt.Errorf("following %s: %w", names[i], err), "skiff doctor looks at streams, buckets and credentials")
			}
		}
		if !followed {
			fmt.Fprintf(s.stderr, "following %s\n", strings.Join(names, " and "))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// lettersTail returns what follows the dead letters of a flow.
func lettersTail(f *flow, all bool) (poller, error) {
	scheme, rest, _ := strings.Cut(f.letters, "://")
	switch scheme {
	case "s3":
		bucket, prefix, _ := strings.Cut(rest, "/")
		if prefix != "" {
			prefix = strings.TrimSuffix(prefix, "/") + "/"
		}
		return &bucketTail{client: f.s3, bucket: bucket, prefix: prefix, skip: !all}, nil
	case "kinesis":
		return newStreamTail(f.kinesis(rest), rest, all, rejection), nil
	case "sqs":
		return nil, hint.With(errors.New("a queue is not followed: whoever reads a message keeps it from others"),
			"aws sqs receive-message shows its letters; an S3 bucket or a stream for DEAD_LETTER can be followed")
	}
	return nil, hint.With(errors.New("nothing says where dead letters are"), "DEAD_LETTER or --dead-letters: s3://BUCKET/PREFIX or kinesis://STREAM")
}
