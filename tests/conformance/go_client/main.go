// A client on grpc-go, as programs in Go and the kubelet are: `go_client ADDRESS SCENARIO [arguments]`.
//
// Each scenario writes JSON, one object a line, for the Python test that started it to judge. None outlives patience,
// so that a test that reads its lines gets an end of them.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

const patience = 90 * time.Second

// report is one line of an answer.
type report map[string]any

type scenario func(ctx context.Context, address string, arguments []string) error

var scenarios = map[string]scenario{
	"check":     check,
	"watch":     watch,
	"services":  services,
	"generic":   generic,
	"infer":     inferOnce,
	"stream":    stream,
	"abandon":   abandon,
	"keepalive": keepAlive,
	"load":      load,
}

func main() {
	run := scenarios[os.Args[2]]
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := run(ctx, os.Args[1], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func say(line report) {
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		panic(err)
	}
}

// outcome is what became of a call.
func outcome(err error) report {
	told := status.Convert(err)
	return report{"code": told.Code().String(), "message": told.Message()}
}

func connect(address string, options ...grpc.DialOption) (*grpc.ClientConn, error) {
	plain := grpc.WithTransportCredentials(insecure.NewCredentials())
	return grpc.NewClient(address, append(options, plain)...)
}

// ready reads the request in the file `path` and connects.
func ready(address, path string, options ...grpc.DialOption) ([]byte, *grpc.ClientConn, error) {
	request, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	connection, err := connect(address, options...)
	return request, connection, err
}

// raw takes messages as the bytes that they are: those of the tests are written and read in Python.
type raw struct{}

func (raw) Marshal(message any) ([]byte, error) { return *message.(*[]byte), nil }

func (raw) Unmarshal(data []byte, message any) error {
	*message.(*[]byte) = append([]byte(nil), data...)
	return nil
}

// Name is the content-subtype: application/grpc+proto, which the bytes are.
func (raw) Name() string { return "proto" }
