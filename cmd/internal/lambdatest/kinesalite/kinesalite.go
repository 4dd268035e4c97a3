// Package kinesalite starts kinesalite, which stands in for Kinesis where a stream's shards are split and merged: ministack forgets what is in a
// shard that it closes. It is a program of its own, for Node; make installs it.
package kinesalite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/process"
)

const (
	startTime    = time.Minute // on a busy machine; half a second is usual
	activeTime   = time.Minute // of a stream that is new, or whose shards change; it is at once
	stopGrace    = 2 * time.Second
	pollInterval = 25 * time.Millisecond
)

// serve has kinesalite answer on the loopback interface only, which its own command does not, and say at which port. Connections stay open, so
// that nobody calls into one that is being closed.
const serve = `
const [module, path] = process.argv.slice(1);
const server = require(module)({path, createStreamMs: 0, deleteStreamMs: 0, updateStreamMs: 0, shardLimit: 1000});
server.keepAliveTimeout = 0;
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
`

// Config is how to start it.
type Config struct {
	Module string // the folder node_modules/kinesalite
	Dir    string // an empty folder, for what the streams hold
	Log    io.Writer
}

// Server is kinesalite running. Stop it with Stop.
type Server struct {
	Endpoint string // URL
	Kinesis  *kinesis.Client

	process *process.Process
}

// Start starts kinesalite and waits until it answers.
func Start(ctx context.Context, c Config) (*Server, error) {
	out, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("starting kinesalite: %w", err)
	}
	defer out.Close()
	cmd := exec.Command("node", "-e", serve, c.Module, c.Dir) //nolint:noctx // stopped with its group by Stop
	cmd.Stdout, cmd.Stderr = in, c.Log
	s := &Server{}
	s.process, err = process.Start(cmd)
	_ = in.Close() // it has its own
	if err != nil {
		return nil, err
	}
	if err := out.SetReadDeadline(time.Now().Add(startTime)); err != nil {
		s.Stop()
		return nil, fmt.Errorf("starting kinesalite: %w", err)
	}
	defer context.AfterFunc(ctx, func() { _ = out.SetReadDeadline(time.Now()) })()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.Stop()
		return nil, fmt.Errorf("starting kinesalite: it does not say where it answers: %w", err)
	}
	port, err := strconv.ParseUint(line[:len(line)-1], 10, 16)
	if err != nil {
		s.Stop()
		return nil, fmt.Errorf("starting kinesalite: it answers at no port: %w", err)
	}
	s.Endpoint = fmt.Sprintf("http://127.0.0.1:%d", port)
	s.Kinesis = kinesis.New(kinesis.Options{
		Region: "us-east-1", BaseEndpoint: &s.Endpoint, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	return s, nil
}

// Stop ends kinesalite.
func (s *Server) Stop() { s.process.Stop(stopGrace) }

// CreateStream makes a stream of so many shards and waits until it is active.
func (s *Server) CreateStream(ctx context.Context, name string, shards int) error {
	if _, err := s.Kinesis.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: &name, ShardCount: aws.Int32(int32(shards))}); err != nil { //nolint:gosec // a few
		return fmt.Errorf("making stream %s: %w", name, err)
	}
	return s.active(ctx, name)
}

// active waits until a stream is.
func (s *Server) active(ctx context.Context, name string) error {
	waiter := kinesis.NewStreamExistsWaiter(s.Kinesis, func(o *kinesis.StreamExistsWaiterOptions) { o.MinDelay, o.MaxDelay = pollInterval, time.Second })
	if err := waiter.Wait(ctx, &kinesis.DescribeStreamInput{StreamName: &name}, activeTime); err != nil {
		return fmt.Errorf("waiting for stream %s: %w", name, err)
	}
	return nil
}

var errNoShard = errors.New("no shard to split, or two to merge")
