package main

import (
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// heard reads frames beside grpc, and tells of every answer to one of grpc's keepalive pings, whose data is zero.
type heard struct {
	net.Conn
	frames net.Conn
}

func (c heard) Read(data []byte) (int, error) {
	count, err := c.Conn.Read(data)
	if count > 0 {
		_, _ = c.frames.Write(data[:count])
	}
	return count, err
}

func listen(connection net.Conn, answered chan<- struct{}) net.Conn {
	frames, ours := net.Pipe()
	go func() {
		defer ours.Close()
		framer := http2.NewFramer(nil, ours)
		for {
			frame, err := framer.ReadFrame()
			if err != nil {
				return
			}
			if ping, ok := frame.(*http2.PingFrame); ok && ping.IsAck() && ping.Data == [8]byte{} {
				answered <- struct{}{}
			}
		}
	}()
	return heard{connection, frames}
}

// keepAlive pings as often as grpc-go lets a client, every 10 s, beside a stream on which nothing moves, until two
// pings were answered; then it says whether the stream goes on with the file `arguments[0]`, and how many connections
// that took.
func keepAlive(ctx context.Context, address string, arguments []string) error {
	var dials atomic.Int32
	answered := make(chan struct{}, 64)
	request, connection, err := ready(address, arguments[0],
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: 10 * time.Second, Timeout: 30 * time.Second, PermitWithoutStream: true,
		}),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			dials.Add(1)
			made, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
			if err != nil {
				return nil, err
			}
			return listen(made, answered), nil
		}),
	)
	if err != nil {
		return err
	}
	defer connection.Close()
	opened, err := open(ctx, connection)
	if err != nil {
		return err
	}
	if err := exchange(opened, request); err != nil {
		return err
	}
	for range 2 {
		select {
		case <-answered:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	say(report{"stream": outcome(exchange(opened, request)), "connections": dials.Load()})
	return nil
}

// load calls with the file `arguments[0]`, eight at a time on one connection, until nobody listens any more; it says
// when it is in full swing, and at the end what was answered otherwise.
func load(ctx context.Context, address string, arguments []string) error {
	request, connection, err := ready(address, arguments[0])
	if err != nil {
		return err
	}
	defer connection.Close()
	var done atomic.Int32
	var all sync.WaitGroup
	lost := make(chan report, 8)
	for range 8 {
		all.Go(func() {
			for {
				_, err := infer(ctx, connection, request)
				if err != nil {
					// No connection can be had any more, so the call went nowhere; one that was taken is answered.
					if !strings.HasPrefix(status.Convert(err).Message(), "connection error:") {
						lost <- outcome(err)
					}
					return
				}
				if done.Add(1) == 200 {
					say(report{"under": "way"})
				}
			}
		})
	}
	all.Wait()
	close(lost)
	told := []report{}
	for each := range lost {
		told = append(told, each)
	}
	say(report{"done": done.Load(), "lost": told})
	return nil
}
