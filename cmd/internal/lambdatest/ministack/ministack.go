// Package ministack starts ministack, which stands in for Kinesis and S3. It is a program of its own; make installs it.
package ministack

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/process"
)

// What its clients have to say.
const (
	Region    = "us-east-1"
	Account   = "000000000000"
	AccessKey = "test" // and the secret one: it takes any
)

const (
	startTime     = 30 * time.Second // a cold start on a busy machine; 1 s is usual
	stopGrace     = 2 * time.Second
	pollInterval  = 25 * time.Millisecond
	healthTimeout = 2 * time.Second
	connections   = 4 // kept open
)

// Config is how to start it.
type Config struct {
	Program string
	Address string    // host and port, to answer at
	Dir     string    // what it writes goes there, until it ends
	Log     io.Writer // nil for none
	Keep    string    // the folder in which S3 keeps its objects, so that the next one has them; "" for none
}

// Server is ministack running. Stop it with Stop.
type Server struct {
	Endpoint string // URL
	Kinesis  *kinesis.Client
	S3       *s3.Client

	process *process.Process
	client  *http.Client
}

// Start starts ministack and waits until it answers.
func Start(ctx context.Context, c Config) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	host, port, err := net.SplitHostPort(c.Address)
	if err != nil {
		return nil, fmt.Errorf("starting ministack: %w", err)
	}
	cmd := exec.Command(c.Program) //nolint:noctx // stopped with its group by Stop
	cmd.Dir = c.Dir
	cmd.Stdout, cmd.Stderr = c.Log, c.Log
	cmd.Env = append(os.Environ(),
		"GATEWAY_PORT="+port,
		"BIND_HOST="+host,
		"MINISTACK_REGION="+Region,
		"MINISTACK_ACCOUNT_ID="+Account,
		"SERVICES=kinesis,s3",
		"IOT_MTLS_ENABLED=0", "SFTP_ENABLED=0", // no other listeners
		"PERSIST_STATE=0",
		"STATE_DIR="+filepath.Join(c.Dir, "state"),
		"TMPDIR="+c.Dir,
		"DOCKER_HOST=unix://"+filepath.Join(c.Dir, "none.sock"), // it would look for containers to clean up
	)
	if c.Keep != "" {
		cmd.Env = append(cmd.Env, "S3_PERSIST=1", "S3_DATA_DIR="+c.Keep)
	} else {
		cmd.Env = append(cmd.Env, "S3_PERSIST=0", "S3_DATA_DIR="+filepath.Join(c.Dir, "s3"))
	}
	s := &Server{Endpoint: "http://" + c.Address}
	if s.process, err = process.Start(cmd); err != nil {
		return nil, err
	}
	if err := s.answers(ctx); err != nil {
		s.process.Stop(stopGrace)
		return nil, err
	}
	s.connect()
	return s, nil
}

// Connect returns the clients of a ministack that runs already, and that somebody else stops.
func Connect(endpoint string) *Server {
	s := &Server{Endpoint: endpoint}
	s.connect()
	return s
}

func (s *Server) connect() {
	keys := credentials.NewStaticCredentialsProvider(AccessKey, AccessKey, "")
	// A client of our own is set here, not with config.WithHTTPClient, which fails where AWS_CA_BUNDLE is set.
	s.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	s.Kinesis = kinesis.New(kinesis.Options{Region: Region, BaseEndpoint: &s.Endpoint, Credentials: keys, HTTPClient: s.client})
	s.S3 = s3.New(s3.Options{Region: Region, BaseEndpoint: &s.Endpoint, Credentials: keys, HTTPClient: s.client, UsePathStyle: true})
}

// answers waits until it does.
func (s *Server) answers(ctx context.Context) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for !Healthy(ctx, s.Endpoint) {
		select {
		case <-tick.C:
		case <-s.Exited():
			return fmt.Errorf("ministack ended at start: %s", s.Status())
		case <-ctx.Done():
			return fmt.Errorf("waiting for ministack: %w", ctx.Err())
		}
	}
	return nil
}

// PID is the process's id.
func (s *Server) PID() int { return s.process.PID() }

// Exited is closed once ministack has ended.
func (s *Server) Exited() <-chan struct{} { return s.process.Exited() }

// Status says how it ended. It is only to be called after Exited is closed.
func (s *Server) Status() string { return s.process.Status() }

// Stop ends ministack, and all that it has with it.
func (s *Server) Stop() {
	s.client.CloseIdleConnections()
	s.process.Stop(stopGrace)
}

// Healthy says whether a ministack answers at endpoint.
func Healthy(ctx context.Context, endpoint string) bool {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/_ministack/health", nil)
	if err != nil {
		return false
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err == nil && res.StatusCode == http.StatusOK
}
