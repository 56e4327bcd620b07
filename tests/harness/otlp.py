"""Reads what is sent to OpenTelemetry, with the messages that OpenTelemetry publishes, and writes a line of JSON for
each message.

`decode SIGNAL` reads messages from standard input, each after its length. `serve REFUSALS` takes calls of gRPC on a
free port, which its first line names, until standard input ends, and answers the first REFUSALS of each signal with
UNAVAILABLE.
"""

import json
import struct
import sys
import threading
from concurrent import futures

import grpc
from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_calls
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as traces_calls
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

writing = threading.Lock()


def write(line):
    with writing:
        print(json.dumps(line), flush=True)


def attributes(of):
    values = ((pair.key, pair.value) for pair in of.attributes)
    return {key: getattr(value, value.WhichOneof("value")) for key, value in values}


def plain_span(span):
    return {
        "trace": span.trace_id.hex(),
        "span": span.span_id.hex(),
        "parent": span.parent_span_id.hex(),
        "name": span.name,
        "kind": Span.SpanKind.Name(span.kind),
        "start": span.start_time_unix_nano,
        "end": span.end_time_unix_nano,
        "flags": span.flags,
        "status": Status.StatusCode.Name(span.status.code),
        "message": span.status.message,
        "attributes": attributes(span),
    }


def plain(message):
    """Returns a message of metrics as its own JSON, and one of traces as its spans with their source."""
    if isinstance(message, metrics.ExportMetricsServiceRequest):
        return json_format.MessageToDict(message)
    of_scopes = [(source, scope) for source in message.resource_spans for scope in source.scope_spans]
    return {
        "resource": attributes(message.resource_spans[0].resource),
        "scope": of_scopes[0][1].scope.name,
        "spans": [plain_span(span) for _, scope in of_scopes for span in scope.spans],
    }


def decode(signal):
    kind = metrics.ExportMetricsServiceRequest if signal == "metrics" else traces.ExportTraceServiceRequest
    while head := sys.stdin.buffer.read(4):
        write(plain(kind.FromString(sys.stdin.buffer.read(struct.unpack(">I", head)[0]))))


def call(signal, refusals, reply):
    """Returns the method of a service that writes down each call."""
    left = [refusals]

    def export(_, request, context):
        metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        refused = left[0] > 0
        left[0] -= 1
        line = {"signal": signal, "refused": refused, "metadata": metadata, "message": plain(request)}
        line["seconds"] = context.time_remaining()
        write(line)
        if refused:
            context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        return reply()

    return export


def serve(refusals):
    class Metrics(metrics_calls.MetricsServiceServicer):
        Export = call("metrics", refusals, metrics.ExportMetricsServiceResponse)

    class Traces(traces_calls.TraceServiceServicer):
        Export = call("traces", refusals, traces.ExportTraceServiceResponse)

    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    metrics_calls.add_MetricsServiceServicer_to_server(Metrics(), server)
    traces_calls.add_TraceServiceServicer_to_server(Traces(), server)
    write({"port": server.add_insecure_port("127.0.0.1:0")})
    server.start()
    sys.stdin.buffer.read()
    server.stop(None).wait()


if sys.argv[1] == "decode":
    decode(sys.argv[2])
else:
    serve(int(sys.argv[2]))
