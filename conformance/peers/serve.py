"""Sends spans with live packages into `agentspan serve`, for `cargo xtask peers serve`.

    serve.py AGENTSPAN PACKAGE

PACKAGE is `agent365` (microsoft-agents-a365-observability-core, whichever generation is installed), `successor`
(microsoft-opentelemetry) or `rotel`, a collector between the SDK's own exporters and the server. The packages are used as they
are. Only the connection of requests is led to the loopback, where what was sent is noted on its way.

What the server says of each span must be what was sent, field by field.
"""

import base64
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.request

TENANT, AGENT = "e3064512-cc6d-4703-be71-a2ecaecaa98a", "a0000000-0000-0000-0000-00000000000a"
TEXTS = ["plain", "", "zwei\nZeilen", "日本語 ✓ \U0001f600", "quote \" back \\ null \u0000", "x" * 5_000]


class Server:
    """`agentspan serve` on two free ports."""

    def __init__(self, program, *options):
        command = [program, "serve", "--port", "0", "--grpc-port", "0", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        lines = [self.process.stdout.readline() for _ in range(3)]
        self.http, _, self.grpc = (re.search(r"http://([^/\s]+)", line)[1] for line in lines)

    def get(self, path):
        with urllib.request.urlopen(f"http://{self.http}/api/{path}") as answer:
            return json.load(answer)

    def span(self, trace, span):
        return self.get(f"trace/{trace}/span/{span}")

    def wait_for(self, spans):
        """Until the server has so many spans: a collector sends when it likes."""
        deadline = time.monotonic() + 30
        while (found := self.get("traces")["sums"]["spans"]) < spans:
            assert time.monotonic() < deadline, f"{found} of {spans} spans arrived"
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def make_spans(provider, identity):
    """Spans of every form: agents, models and tools, with values, events, links and errors of all kinds."""
    from opentelemetry.trace import Link, SpanKind, Status, StatusCode

    tracer = provider.get_tracer("agentspan.peers", "1.2.3")
    common = {**identity, "gen_ai.agent.name": "Librarian", "gen_ai.conversation.id": "conversation-1"}
    made = 0
    for number, text in enumerate(TEXTS):
        attributes = {**common, "gen_ai.operation.name": "invoke_agent", "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": text}]}])}
        with tracer.start_as_current_span(f"invoke_agent {text[:20]}", attributes=attributes, kind=SpanKind.CLIENT) as root:
            root.add_event("note", {"text": text, "number": number}, 1_765_000_000_123_456_789)
            linked = root.get_span_context()
            values = {"yes": True, "whole": 2**53 + 1, "below": -(2**63), "part": 0.1, "texts": ["a", text], "numbers": [1, 2], "parts": [0.5, 1.5], "truths": [True, False]}
            with tracer.start_as_current_span("chat", attributes={**common, "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": number, **values}, links=[Link(linked, {"why": text})]):
                pass
            with tracer.start_as_current_span("execute_tool", attributes={**common, "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look_up"}) as tool:
                tool.set_status(Status(StatusCode.ERROR, f"failed: {text[:50]}"))
        made += 3
    return made


def equal(what, sent, stored):
    assert sent == stored, f"{what}:\n  sent   {json.dumps(sent)[:2000]}\n  stored {json.dumps(stored)[:2000]}"


def check_bodies(server, bodies):
    """Every span of every body as its sender wrote it, with what stood around it."""
    spans = 0
    for body in bodies:
        for resource in body["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    found = server.span(span["traceId"], span["spanId"])
                    equal("the span", span, found["raw"])
                    equal("its attributes", span["attributes"], dict(map(tuple_of, found["attributes"])))
                    equal("its resource", resource["resource"]["attributes"], dict(map(tuple_of, found["resource"])))
                    equal("its scope", scope["scope"], found["scope"])
                    equal("its events", [event["name"] for event in span["events"] or []], [event["n"] for event in found["events"]])
                    equal("its links", [link["spanId"] for link in span["links"] or []], [link["span"] for link in found["links"]])
                    spans += 1
    return spans


def tuple_of(pair):
    return pair[0], pair[1]


def lead_to(server, bodies, answers):
    """Leads every request to the server, and notes the bodies on their way."""
    import requests

    def send(_adapter, request, **_options):
        body = request.body if isinstance(request.body, bytes) else request.body.encode()
        bodies.append(json.loads(body))
        connection = http.client.HTTPConnection(server.http)
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        connection.request("POST", re.sub("^https?://[^/]+", "", request.url), body, headers)
        answer, response = connection.getresponse(), requests.Response()
        response.status_code, response._content, response.url, response.request = answer.status, answer.read(), request.url, request
        response.headers.update(answer.getheaders())
        answers.append((request.url, answer.status, response._content))
        return response

    requests.adapters.HTTPAdapter.send = send


def agent365(program, exporter, profile, identity):
    """The exporter of a package on the SDK's own provider."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    with Server(program, "--profile", profile) as server:
        bodies, answers = [], []
        lead_to(server, bodies, answers)
        provider = TracerProvider(resource=Resource({"service.name": "peer", "service.instance.id": "1"}))
        provider.add_span_processor(BatchSpanProcessor(exporter()))
        made = make_spans(provider, identity)
        assert provider.force_flush()
        provider.shutdown()
        assert answers and all(status == 200 for _, status, _ in answers), answers
        outcomes = [sink["status"] for *_, answer in answers for result in json.loads(answer)["results"] for sink in result["sinks"].values()]
        assert set(outcomes) == {"sent"} and len(outcomes) == 3 * made, outcomes
        equal("the number of spans", made, check_bodies(server, bodies))
        listed = server.get("traces")
        equal("the list", (len(TEXTS), made, 0), (listed["total"], listed["sums"]["spans"], listed["sums"]["refused"]))
        return made


def of_packages(program):
    from importlib.metadata import version

    from microsoft_agents_a365.observability.core.exporters import agent365_exporter

    package = "microsoft-agents-a365-observability-core"
    is_first = version(package).startswith("0.")
    exporter = agent365_exporter.Agent365Exporter if is_first else agent365_exporter._Agent365Exporter
    tenant = "tenant.id" if is_first else "microsoft.tenant.id"
    made = agent365(program, lambda: exporter(token_resolver=lambda *_: "a-token"), "v0.1" if is_first else "v2", {tenant: TENANT, "gen_ai.agent.id": AGENT})
    return f"{package} {version(package)}", made


def of_successor(program):
    from importlib.metadata import version

    from microsoft.opentelemetry.a365.core.exporters.agent365_exporter import _Agent365Exporter

    made = agent365(program, lambda: _Agent365Exporter(token_resolver=lambda *_: "a-token", enable_durable_delivery=False), "v3", {"microsoft.tenant.id": TENANT, "gen_ai.agent.id": AGENT})
    return f"microsoft-opentelemetry {version('microsoft-opentelemetry')}", made


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def as_json(span):
    """A span of the SDK in the JSON of OTLP, which says nothing of what is empty."""
    from google.protobuf.json_format import MessageToDict
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    body = MessageToDict(encode_spans([span]))
    resource = body["resourceSpans"][0]
    scope = resource["scopeSpans"][0]
    return resource["resource"], scope["scope"], scope["spans"][0]


def plain(value, key=""):
    """OTLP's JSON as two writers agree on: ids as digits, kinds and codes as numbers, nothing that is empty or a default."""
    if isinstance(value, dict):
        members = {name: plain(one, name) for name, one in value.items() if name not in ("flags", "droppedAttributesCount")}
        return {name: one for name, one in members.items() if one not in ({}, [], "", None, 0, "0") or key == "value"}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if key in ("traceId", "spanId", "parentSpanId") and not re.fullmatch("[0-9a-f]*", value):
        return base64.b64decode(value).hex()
    names = {"SPAN_KIND_INTERNAL": 1, "SPAN_KIND_CLIENT": 3, "STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}
    if key == "intValue":
        return str(value)
    return names.get(value, value) if isinstance(value, str) else value


def through(program, make_exporter, name):
    """The SDK's own exporter, directly or through a collector."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    class Keeper(SpanProcessor):
        spans = []

        def on_end(self, span):
            self.spans.append(span)

    with Server(program) as server:
        exporter, stop = make_exporter(server)
        provider = TracerProvider(resource=Resource({"service.name": "peer", "service.instance.id": "1"}))
        keeper = Keeper()
        keeper.spans = []
        provider.add_span_processor(keeper)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        made = make_spans(provider, {"microsoft.tenant.id": TENANT, "gen_ai.agent.id": AGENT})
        try:
            assert provider.force_flush()
            provider.shutdown()
            server.wait_for(made)
        finally:
            stop()
        for span in keeper.spans:
            resource, scope, sent = (plain(one) for one in as_json(span))
            found = server.span(sent["traceId"], sent["spanId"])
            equal(f"{name}: the span", sent, plain(found["raw"]))
            equal(f"{name}: its scope", scope, plain(found["scope"]))
            stored = dict(map(tuple_of, found["resource"]))
            for pair in resource["attributes"]:
                equal(f"{name}: its resource", pair["value"]["stringValue"], stored[pair["key"]])
        return made


def of_rotel(program):
    from importlib.metadata import version

    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as Http

    nothing = lambda: None
    through(program, lambda server: (Http(endpoint=f"http://{server.http}/v1/traces"), nothing), "OTLP over HTTP")
    through(program, lambda server: (Grpc(endpoint=server.grpc, insecure=True), nothing), "OTLP over gRPC")
    made = 0
    for protocol in ("http", "grpc"):
        with tempfile.TemporaryDirectory() as directory:
            made = through(program, lambda server: collector(server, protocol, directory), f"rotel over {protocol}")
    return f"rotel {version('rotel')}, and the SDK's exporters", made


def collector(server, protocol, directory):
    """Rotel's agent, which takes OTLP over gRPC and sends it on in the protocol."""
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    ports = [free_port() for _ in range(2)]
    # A script beside this one has the name of the package.
    program = os.path.join(sysconfig.get_path("platlib"), "rotel", "rotel-agent")
    endpoint = f"http://{server.http}" if protocol == "http" else f"http://{server.grpc}"
    command = [program, "start", "--otlp-grpc-endpoint", f"127.0.0.1:{ports[0]}", "--otlp-http-endpoint", f"127.0.0.1:{ports[1]}",
               "--exporter", "otlp", "--otlp-exporter-endpoint", endpoint, "--otlp-exporter-protocol", protocol]
    agent = subprocess.Popen(command, cwd=directory, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", ports[0]), 1).close()
            break
        except OSError:
            assert agent.poll() is None and time.monotonic() < deadline, "rotel does not start"
            time.sleep(0.05)

    def stop():
        agent.terminate()
        agent.wait()

    return OTLPSpanExporter(endpoint=f"127.0.0.1:{ports[0]}", insecure=True), stop


PACKAGES = {"agent365": of_packages, "successor": of_successor, "rotel": of_rotel}

if __name__ == "__main__":
    name, made = PACKAGES[sys.argv[2]](sys.argv[1])
    print(f"{name}: {made} spans, and all are stored as they were sent")
