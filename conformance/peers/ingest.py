"""Measures what `agentspan serve` needs to take, keep and show spans, beside Arize Phoenix, and otelite if there is one.

    ingest.py AGENTSPAN DIRECTORY [SPANS] [--otelite PROGRAM [--without-phoenix]]

All get the same bytes: requests of OTLP over HTTP with protobuf, first plain, then with gzip, each from one connection. A
server has taken them when it says that it has as many spans. Its processor time is what all of its processes took from the first
request to then; its memory is what they have more than before, in proportional shares; its files are what is in its directory.
Each form gets a fresh server. Then a trace of 1,000 spans is opened in Chromium, which has opened another before: the time ends
with the frame in which steps are drawn. No address of otelite opens a trace, so this is not measured of it.
"""

import argparse
import gzip
import http.client
import json
import os
import re
import statistics
import sys
import time
import urllib.request

import receiver
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../crates/agentspan-cli/tests/page"))
import browser as chromium  # noqa: E402

# Other pages take long to start on a machine that is busy.
chromium.PATIENCE = 120

SPANS = 100_000
OF_TRACE = 10
OF_REQUEST = 500
LARGE = 1_000
ROUNDS = 5
START = 1_795_858_867_000_000_000
TICKS = os.sysconf("SC_CLK_TCK")
SENTENCE = "Three days in Lisbon from Friday, with direct flights and a quiet hotel near the river. "


def trace_id(number):
    return (number + 1).to_bytes(16, "big")


def fill(span, trace, at, parent):
    """A turn of an agent: its calls to a model say what models are asked and answer."""
    span.trace_id = trace
    span.span_id = trace[12:] + (at + 1).to_bytes(4, "big")
    span.kind = 3
    span.start_time_unix_nano = START + int.from_bytes(trace[8:], "big") * 1_000_000 + at * 10_000
    span.end_time_unix_nano = span.start_time_unix_nano + (10_000_000 if at == 0 else 9_000)
    operation = "invoke_agent" if at == 0 else ("chat", "execute_tool")[at % 2]
    texts = {"gen_ai.operation.name": operation, "gen_ai.agent.name": "Trip Planner", "gen_ai.conversation.id": f"conversation-{trace.hex()}"}
    if at == 0:
        span.name = "invoke_agent Trip Planner"
    else:
        span.parent_span_id = parent
        span.name = f"{operation} {'gpt-4.1' if operation == 'chat' else 'search_flights'}"
    if operation == "chat":
        words = SENTENCE * 4
        message = lambda role: json.dumps([{"role": role, "parts": [{"type": "text", "content": f"{words}{at} {trace.hex()}"}]}])
        texts |= {"gen_ai.request.model": "gpt-4.1", "gen_ai.provider.name": "openai", "gen_ai.input.messages": message("user"), "gen_ai.output.messages": message("assistant")}
        for key, number in (("gen_ai.usage.input_tokens", 900 + at), ("gen_ai.usage.output_tokens", 40)):
            span.attributes.add(key=key).value.int_value = number
    elif operation == "execute_tool":
        texts |= {"gen_ai.tool.name": "search_flights", "gen_ai.tool.call.id": f"call-{at}", "gen_ai.tool.call.arguments": json.dumps({"to": "LIS", "day": at})}
    for key, text in texts.items():
        span.attributes.add(key=key).value.string_value = text
    return span.span_id


def request_of(traces, spans):
    """A request with these traces of so many spans."""
    request = ExportTraceServiceRequest()
    of_resource = request.resource_spans.add()
    of_resource.resource.attributes.add(key="service.name").value.string_value = "trips"
    of_scope = of_resource.scope_spans.add()
    of_scope.scope.name = "trips.agent"
    for number in traces:
        root = b""
        for at in range(spans):
            made = fill(of_scope.spans.add(), trace_id(number), at, root)
            root = root or made
    return request.SerializeToString()


def bodies(spans):
    traces = OF_REQUEST // OF_TRACE
    return [request_of(range(first, first + traces), OF_TRACE) for first in range(0, spans // OF_TRACE, traces)]


def processes(group):
    """The processes of a server, which are a group."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8") as stat:
                    fields = stat.read().rpartition(")")[2].split()
                if int(fields[2]) == group:
                    yield int(entry), fields
            except (FileNotFoundError, ProcessLookupError):
                continue


def seconds(group):
    return sum(int(fields[11]) + int(fields[12]) for _, fields in processes(group)) / TICKS


def on_disk(directory):
    """Megabytes of all files."""
    files = (os.path.join(place, name) for place, _, names in os.walk(directory) for name in names)
    return sum(os.stat(file).st_size for file in files if os.path.exists(file)) / 1_000_000


def memory(group):
    """Megabytes, pages that are shared counted in part."""
    kilobytes = 0
    for process, _ in processes(group):
        with open(f"/proc/{process}/smaps_rollup", encoding="utf-8") as rollup:
            kilobytes += int(re.search(r"^Pss:\s+(\d+)", rollup.read(), re.MULTILINE)[1])
    return kilobytes / 1_000


class Server:
    """A server on the loopback, which is started afresh."""

    def __init__(self, directory):
        self.directory = receiver.fresh_directory(os.path.join(directory, self.name))
        self.port = self.otlp_port = receiver.free_port()
        self.address = f"http://127.0.0.1:{self.port}"

    def running(self):
        return receiver.running(self.command(), self.directory, self.environment(), self.address + self.health)

    def environment(self):
        return {}


class Agentspan(Server):
    name, health = "agentspan", "/"
    path = None

    def command(self):
        return [self.path, "serve", "--port", str(self.port), "--grpc-port", "0", "--memory", "1024"]

    def count(self):
        with urllib.request.urlopen(f"{self.address}/api/traces?limit=1") as answer:
            return json.load(answer)["sums"]["spans"]

    def page(self, trace):
        return f"{self.address}/#/t/{trace}"


class Otelite(Server):
    name, health = "otelite", "/api/health"
    path = None

    def command(self):
        return [self.path, "serve", "--addr", f"127.0.0.1:{self.port}"]

    def environment(self):
        self.otlp_port = receiver.free_port()
        return {
            "OTELITE_DATA_DIR": self.directory,
            "OTELITE_OTLP_HTTP_PORT": str(self.otlp_port),
            "OTELITE_OTLP_GRPC_PORT": str(receiver.free_port()),
        }

    def count(self):
        with urllib.request.urlopen(f"{self.address}/api/stats") as answer:
            return json.load(answer)["span_count"]

    def page(self, trace):
        return None


class Phoenix(Server):
    name, health = "phoenix", "/healthz"

    def command(self):
        return [sys.executable, "-m", "phoenix.server.main", "serve"]

    def environment(self):
        return {
            "PHOENIX_WORKING_DIR": self.directory,
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(self.port),
            "PHOENIX_GRPC_PORT": str(receiver.free_port()),
            "PHOENIX_TELEMETRY_ENABLED": "false",
            "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
            "PHOENIX_DISABLE_AGENT_ASSISTANT": "true",
        }

    def projects(self):
        body = {"query": "{ projects { edges { node { id name recordCount } } } }"}
        answer = receiver.post_json(f"{self.address}/graphql", body)
        return [edge["node"] for edge in answer["data"]["projects"]["edges"]]

    def count(self):
        return sum(project["recordCount"] for project in self.projects())

    def page(self, trace):
        project = next(one["id"] for one in self.projects() if one["recordCount"])
        return f"{self.address}/projects/{project}/traces/{trace}"


def post(connection, body, encoding):
    """Sends a request. A server that is full asks to be asked again."""
    headers = {"content-type": "application/x-protobuf", **({"content-encoding": encoding} if encoding else {})}
    while True:
        connection.request("POST", "/v1/traces", body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            return
        if answer.status not in (429, 503):
            sys.exit(f"the server answered {answer.status}")
        time.sleep(0.2)


def taken(server, group, sent, spans, encoding):
    """Spans a second of processor time, spans a second, megabytes for 100,000 spans in memory, in files and in both."""
    before, files, busy, begin = memory(group), on_disk(server.directory), seconds(group), time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", server.otlp_port, timeout=300)
    for body in sent:
        post(connection, body, encoding)
    pause = 0.05
    while (count := server.count()) < spans:
        if time.monotonic() - begin > 3_600:
            sys.exit(f"{server.name} has {count} of {spans} spans after an hour")
        # To ask costs the server something, too.
        time.sleep(pause)
        pause = min(pause * 2, 5)
    took, busy = time.monotonic() - begin, seconds(group) - busy
    each = 100_000 / spans
    held, written = (memory(group) - before) * each, (on_disk(server.directory) - files) * each
    return spans / busy, spans / took, held, written, held + written


def painted(server, first):
    """Milliseconds until steps of a trace of 1,000 spans are drawn; the median of some."""
    if server.page(trace_id(first).hex()) is None:
        return None
    connection = http.client.HTTPConnection("127.0.0.1", server.otlp_port, timeout=300)
    before = server.count()
    for number in range(ROUNDS + 1):
        post(connection, request_of([first + number], LARGE), "")
    while server.count() < before + (ROUNDS + 1) * LARGE:
        time.sleep(0.5)
    browser, times = chromium.Browser(), []
    try:
        page = chromium.Page(browser, "about:blank", ready="true")
        for number in range(ROUNDS + 1):
            page.send("Page.navigate", url="about:blank")
            page.wait("location.href === 'about:blank'")
            page.send("Page.navigate", url=server.page(trace_id(first + number).hex()))
            shown = "location.href !== 'about:blank' && ['search_flights', 'gpt-4.1'].every((text) => document.body.innerText.includes(text))"
            times.append(page.wait(f"{shown} && performance.now()"))
    finally:
        browser.close()
    # The first one fills the browser's cache.
    return statistics.median(times[1:])


def measured(kind, directory, spans, sent):
    figures = []
    for encoding, bodies_sent in (("", sent), ("gzip", [gzip.compress(body, 6) for body in sent])):
        server = kind(directory)
        with server.running() as process:
            figures += taken(server, process.pid, bodies_sent, spans, encoding)
            if encoding:
                figures.append(painted(server, 10_000_000))
    return figures


# Without a goal, a row only tells.
ROWS = [
    ("plain: spans a second of processor", "more"),
    ("plain: spans a second", None),
    ("plain: MB for 100,000 spans in memory", "less"),
    ("plain: MB for 100,000 spans in files", None),
    ("plain: MB for 100,000 spans in both", "less"),
    ("gzip: spans a second of processor", "more"),
    ("gzip: spans a second", None),
    ("gzip: MB for 100,000 spans in memory", "less"),
    ("gzip: MB for 100,000 spans in files", None),
    ("gzip: MB for 100,000 spans in both", "less"),
    ("1,000 spans drawn, ms", "less"),
]


def verdict(goal, ours, peers):
    """How much better we are than the best of the peers."""
    if goal is None or not peers:
        return ""
    better = ours / max(peers) if goal == "more" else min(peers) / ours
    return f"{better:.1f} x{'' if better >= 3 else '  MISSED: 3 x'}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("agentspan")
    parser.add_argument("directory")
    parser.add_argument("spans", nargs="?", type=int, default=SPANS)
    parser.add_argument("--otelite")
    parser.add_argument("--without-phoenix", action="store_true", help="for many spans, which take it hours")
    options = parser.parse_args()
    spans = options.spans // OF_REQUEST * OF_REQUEST
    Agentspan.path, Otelite.path = options.agentspan, options.otelite
    kinds = [Agentspan, *([Otelite] if options.otelite else []), *([] if options.without_phoenix else [Phoenix])]
    if len(kinds) == 1:
        sys.exit("nothing to compare with: name a program with --otelite, or leave --without-phoenix out")
    sent = bodies(spans)
    print(f"{spans:,} spans in {len(sent)} requests of {len(sent[0]):,} bytes; load {os.getloadavg()[0]:.1f} before")
    table = [measured(kind, options.directory, spans, sent) for kind in kinds]
    print(f"{'':<38}{''.join(f'{kind.name:>12}' for kind in kinds)}    better")
    for (name, goal), ours, *peers in zip(ROWS, *table):
        figures = ["-" if figure is None else f"{figure:,.0f}" for figure in (ours, *peers)]
        peers = [figure for figure in peers if figure is not None]
        print(f"{name:<38}{''.join(f'{figure:>12}' for figure in figures)}    {verdict(goal, ours, peers)}")
    print(f"load {os.getloadavg()[0]:.1f} after")


if __name__ == "__main__":
    main()
