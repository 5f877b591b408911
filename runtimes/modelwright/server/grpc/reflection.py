"""Server reflection, with which generic clients such as grpcurl find out what they may call; v1 and v1alpha.

Source: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
"""

from __future__ import annotations

from typing import Final

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import FileDescriptor

from modelwright.codecs import grpc as codec
from modelwright.codecs.proto import health_pb2, open_inference_grpc_pb2
from modelwright.codecs.proto import reflection_pb2 as pb
from modelwright.errors import InvalidInput
from modelwright.server.grpc.wire.call import Call
from modelwright.server.grpc.wire.status import CallRefused, StatusCode
from modelwright.server.grpc.wire.terms import Route

_PACKAGE: Final = pb.DESCRIPTOR.package
_ALPHA: Final = f"{_PACKAGE}alpha"


class ReflectionService:
    """Describes the services of the files; no message of theirs has extensions."""

    def __init__(self) -> None:
        # A pool of its own: ours are apart from each other, so that an author's of the same names can live beside them.
        self._pool = descriptor_pool.DescriptorPool()
        self._services: list[str] = []
        described = (open_inference_grpc_pb2.DESCRIPTOR, health_pb2.DESCRIPTOR, pb.DESCRIPTOR)
        for serialized in (*(file.serialized_pb for file in described), _alpha()):
            file = self._pool.AddSerializedFile(serialized)
            self._services += [service.full_name for service in file.services_by_name.values()]

    def routes(self) -> dict[str, Route]:
        """Give the methods by their paths."""
        route = Route(self._answer, unary=False)
        return {f"/{package}.ServerReflection/ServerReflectionInfo": route for package in (_PACKAGE, _ALPHA)}

    async def _answer(self, call: Call) -> None:
        while (message := await call.read()) is not None:
            try:
                request = codec.parse(pb.ServerReflectionRequest, message)
            except InvalidInput as error:
                raise CallRefused(StatusCode.INVALID_ARGUMENT, error.message) from None
            await call.write(self._reflect(request).SerializeToString())

    def _reflect(self, request: pb.ServerReflectionRequest) -> pb.ServerReflectionResponse:
        answer = pb.ServerReflectionResponse(valid_host=request.host, original_request=request)
        asked = request.WhichOneof("message_request")
        try:
            if asked == "list_services":
                for name in sorted(self._services):
                    answer.list_services_response.service.add(name=name)
            elif asked == "file_by_filename":
                _describe(answer, self._pool.FindFileByName(request.file_by_filename))
            elif asked == "file_containing_symbol":
                _describe(answer, self._pool.FindFileContainingSymbol(request.file_containing_symbol))
            elif asked == "all_extension_numbers_of_type":
                found = self._pool.FindMessageTypeByName(request.all_extension_numbers_of_type)
                answer.all_extension_numbers_response.base_type_name = found.full_name
            else:
                raise KeyError(asked)
        except KeyError:
            answer.error_response.error_code = StatusCode.NOT_FOUND
            answer.error_response.error_message = "there is nothing of that name here"
        return answer


def _describe(answer: pb.ServerReflectionResponse, file: FileDescriptor) -> None:
    answer.file_descriptor_response.file_descriptor_proto.append(file.serialized_pb)


def _alpha() -> bytes:
    """Give the file of v1alpha, which is v1's in another package."""
    file = descriptor_pb2.FileDescriptorProto.FromString(pb.DESCRIPTOR.serialized_pb)
    file.name, file.package = f"alpha_{file.name}", _ALPHA
    for message in file.message_type:
        for field in message.field:
            if field.type_name:
                field.type_name = field.type_name.replace(f".{_PACKAGE}.", f".{_ALPHA}.")
    for method in file.service[0].method:
        method.input_type = method.input_type.replace(f".{_PACKAGE}.", f".{_ALPHA}.")
        method.output_type = method.output_type.replace(f".{_PACKAGE}.", f".{_ALPHA}.")
    return file.SerializeToString()
