package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding/gzip"
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
)

const (
	modelInfer  = "/inference.GRPCInferenceService/ModelInfer"
	modelStream = "/inference.GRPCInferenceService/ModelStreamInfer"
	// Clients in Go take no more than 4 MB unless they say so.
	largest = 16 << 20
)

func infer(ctx context.Context, connection *grpc.ClientConn, request []byte, options ...grpc.CallOption) ([]byte, error) {
	var answer []byte
	options = append(options, grpc.ForceCodec(raw{}), grpc.MaxCallRecvMsgSize(largest))
	err := connection.Invoke(ctx, modelInfer, &request, &answer, options...)
	return answer, err
}

// inferOnce sends the file `arguments[0]` compressed as `arguments[2]` says, and writes the answer to `arguments[1]`.
func inferOnce(ctx context.Context, address string, arguments []string) error {
	request, connection, err := ready(address, arguments[0])
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx = metadata.AppendToOutgoingContext(ctx, "x-tenant", "acme", "x-request-id", "mine")
	var header, trailer metadata.MD
	options := []grpc.CallOption{grpc.Header(&header), grpc.Trailer(&trailer)}
	if arguments[2] == gzip.Name {
		options = append(options, grpc.UseCompressor(gzip.Name))
	}
	answer, err := infer(ctx, connection, request, options...)
	line := outcome(err)
	line["header"], line["trailer"] = header, trailer
	if err := os.WriteFile(arguments[1], answer, 0o600); err != nil {
		return err
	}
	say(line)
	return nil
}

// stream sends the file `arguments[0]` three times, each behind the answer to the one before, and says how many came.
func stream(ctx context.Context, address string, arguments []string) error {
	request, connection, err := ready(address, arguments[0])
	if err != nil {
		return err
	}
	defer connection.Close()
	opened, err := open(ctx, connection)
	if err != nil {
		return err
	}
	for range 3 {
		if err := exchange(opened, request); err != nil {
			return err
		}
	}
	if err := opened.CloseSend(); err != nil {
		return err
	}
	var more []byte
	err = opened.RecvMsg(&more)
	say(report{"answers": 3, "ended": errors.Is(err, io.EOF)})
	return nil
}

func open(ctx context.Context, connection *grpc.ClientConn) (grpc.ClientStream, error) {
	both := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	return connection.NewStream(ctx, both, modelStream, grpc.ForceCodec(raw{}))
}

func exchange(opened grpc.ClientStream, request []byte) error {
	if err := opened.SendMsg(&request); err != nil {
		return err
	}
	var answer []byte
	if err := opened.RecvMsg(&answer); err != nil {
		return err
	}
	if len(answer) == 0 {
		return errors.New("an answer is empty")
	}
	return nil
}

// abandon keeps the model busy with the file `arguments[0]`, which makes the file `arguments[1]` when it has begun,
// has `arguments[2]` wait behind it, and leaves that as `arguments[3]` says: by "cancel" or by its "deadline".
func abandon(ctx context.Context, address string, arguments []string) error {
	busy, connection, err := ready(address, arguments[0])
	if err != nil {
		return err
	}
	defer connection.Close()
	waiting, err := os.ReadFile(arguments[2])
	if err != nil {
		return err
	}
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { _, err := infer(ctx, connection, busy); first <- err }()
	if err := exists(ctx, arguments[1]); err != nil {
		return err
	}
	own, leave := context.WithCancel(ctx)
	if arguments[3] == "deadline" {
		own, leave = context.WithTimeout(ctx, time.Second)
	}
	defer leave()
	go func() { _, err := infer(own, connection, waiting); second <- err }()
	if arguments[3] == "cancel" {
		// What is answered on the same connection behind it shows that the server has it.
		if _, err := health.NewHealthClient(connection).Check(ctx, &health.HealthCheckRequest{}); err != nil {
			return err
		}
		leave()
	}
	left := outcome(<-second)
	say(report{"left": left, "busy": outcome(<-first)})
	return nil
}

func exists(ctx context.Context, path string) error {
	for ctx.Err() == nil {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("%s did not appear: %w", path, ctx.Err())
}
