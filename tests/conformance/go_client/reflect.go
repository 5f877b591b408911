package main

import (
	"context"
	"encoding/json"
	"strings"

	"google.golang.org/grpc"
	reflection "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionalpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// services says what both versions of reflection list.
func services(ctx context.Context, address string, _ []string) error {
	connection, err := connect(address)
	if err != nil {
		return err
	}
	defer connection.Close()
	answer, err := ask(ctx, connection, &reflection.ServerReflectionRequest{
		MessageRequest: &reflection.ServerReflectionRequest_ListServices{},
	})
	if err != nil {
		return err
	}
	var names, alpha []string
	for _, each := range answer.GetListServicesResponse().GetService() {
		names = append(names, each.GetName())
	}
	old, err := reflectionalpha.NewServerReflectionClient(connection).ServerReflectionInfo(ctx)
	if err != nil {
		return err
	}
	err = old.Send(&reflectionalpha.ServerReflectionRequest{
		MessageRequest: &reflectionalpha.ServerReflectionRequest_ListServices{},
	})
	if err != nil {
		return err
	}
	listed, err := old.Recv()
	if err != nil {
		return err
	}
	for _, each := range listed.GetListServicesResponse().GetService() {
		alpha = append(alpha, each.GetName())
	}
	say(report{"v1": names, "v1alpha": alpha})
	return nil
}

func ask(
	ctx context.Context, connection *grpc.ClientConn, request *reflection.ServerReflectionRequest,
) (*reflection.ServerReflectionResponse, error) {
	asking, err := reflection.NewServerReflectionClient(connection).ServerReflectionInfo(ctx)
	if err != nil {
		return nil, err
	}
	if err := asking.Send(request); err != nil {
		return nil, err
	}
	answer, err := asking.Recv()
	if err != nil {
		return nil, err
	}
	return answer, asking.CloseSend()
}

// generic calls the method `arguments[0]`, such as package.Service/Method, with the JSON `arguments[1]`, knowing
// nothing but what reflection tells: what grpcurl does.
func generic(ctx context.Context, address string, arguments []string) error {
	connection, err := connect(address)
	if err != nil {
		return err
	}
	defer connection.Close()
	name, method, _ := strings.Cut(arguments[0], "/")
	described, err := describe(ctx, connection, name)
	if err != nil {
		return err
	}
	called := described.Methods().ByName(protoreflect.Name(method))
	request, answer := dynamicpb.NewMessage(called.Input()), dynamicpb.NewMessage(called.Output())
	if err := protojson.Unmarshal([]byte(arguments[1]), request); err != nil {
		return err
	}
	line := outcome(connection.Invoke(ctx, "/"+arguments[0], request, answer))
	written, err := protojson.Marshal(answer)
	if err != nil {
		return err
	}
	line["answer"] = json.RawMessage(written)
	say(line)
	return nil
}

func describe(
	ctx context.Context, connection *grpc.ClientConn, name string,
) (protoreflect.ServiceDescriptor, error) {
	answer, err := ask(ctx, connection, &reflection.ServerReflectionRequest{
		MessageRequest: &reflection.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: name},
	})
	if err != nil {
		return nil, err
	}
	var set descriptorpb.FileDescriptorSet
	for _, serialized := range answer.GetFileDescriptorResponse().GetFileDescriptorProto() {
		var file descriptorpb.FileDescriptorProto
		if err := proto.Unmarshal(serialized, &file); err != nil {
			return nil, err
		}
		set.File = append(set.File, &file)
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		return nil, err
	}
	found, err := files.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		return nil, err
	}
	return found.(protoreflect.ServiceDescriptor), nil
}
