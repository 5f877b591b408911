package main

import (
	"context"
	"net"

	"google.golang.org/grpc"
	health "google.golang.org/grpc/health/grpc_health_v1"
)

// check asks once, the way in which the kubelet's probe does: it waits for a connection of its own and closes it.
// Source: https://github.com/kubernetes/kubernetes/blob/master/pkg/probe/grpc/grpc.go
func check(ctx context.Context, address string, arguments []string) error {
	connection, err := grpc.DialContext(ctx, address, //nolint:staticcheck // as the kubelet still does
		grpc.WithUserAgent("kube-probe/1.34"),
		grpc.WithBlock(),    //nolint:staticcheck // as the kubelet still does
		grpc.WithInsecure(), //nolint:staticcheck // as the kubelet still does
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", address)
		}),
	)
	if err != nil {
		return err
	}
	defer connection.Close()
	answer, err := health.NewHealthClient(connection).Check(ctx, &health.HealthCheckRequest{Service: arguments[0]})
	line := outcome(err)
	line["status"] = answer.GetStatus().String()
	say(line)
	return nil
}

// watch says each status of a service as it comes, and how the stream ends.
func watch(ctx context.Context, address string, arguments []string) error {
	connection, err := connect(address)
	if err != nil {
		return err
	}
	defer connection.Close()
	watched, err := health.NewHealthClient(connection).Watch(ctx, &health.HealthCheckRequest{Service: arguments[0]})
	if err != nil {
		return err
	}
	for {
		answer, err := watched.Recv()
		if err != nil {
			say(outcome(err))
			return nil
		}
		say(report{"status": answer.GetStatus().String()})
	}
}
