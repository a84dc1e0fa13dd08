"""Plays the reference package of Agent 365 for `cargo xtask peers agent365`.

Reads one JSON object per line from standard input and answers each with one line on standard output. The package is
used as it is: its exporter, its scopes, its baggage, its span processor, its pipeline. Two things differ. Every host is
the loopback service whose address is the first argument; it speaks TLS for the host that was asked for, and
REQUESTS_CA_BUNDLE names the authority to trust. And the exporter notes its pauses instead of waiting; the successor's,
which keeps what it could not send on disk, does not send it again.

What the generations of the package have in different forms is in `agent365_v0_1.py`, `agent365_v2.py` and
`agent365_v3.py`; the one of the package that is installed is used.

The commands:

    {"op": "export", "input": ...}         one export; `input` as in the vectors about exports
    {"op": "configure", ...}               installs the package's whole pipeline, once
    {"op": "scenario", "steps": [...]}     runs scopes, spans and baggage, then flushes the pipeline
    {"op": "turns", "activities": [...]}   the baggage of turns of conversations (all but the first generation)
"""

import builtins
import json
import logging
import socket
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

import urllib3.util.connection
from opentelemetry import context as current
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from typed_values import plain



def module_of_installed():
    """The module of the package that is installed."""
    try:
        version("microsoft-opentelemetry")
        return "agent365_v3"
    except PackageNotFoundError:
        is_first = version("microsoft-agents-a365-observability-core").startswith("0.")
        return "agent365_v0_1" if is_first else "agent365_v2"


generation = import_module(module_of_installed())
core = generation.core


def connect_everything_to(address):
    """Sends every connection to the loopback service, whatever host it was meant for."""
    host, port = address.rsplit(":", 1)

    def create_connection(_meant, timeout=None, source_address=None, socket_options=None):
        connected = socket.create_connection((host, int(port)), timeout=30)
        for option in socket_options or ():
            connected.setsockopt(*option)
        return connected

    urllib3.util.connection.create_connection = create_connection


def token_resolver(command, calls):
    """A resolver with the answers of the command, which notes who was asked for."""

    def resolve(agent_id, tenant_id, *agentic_user_id):
        """The successor names the user as whom the agent acts, if it is asked to."""
        call = [agent_id, tenant_id]
        if agentic_user_id:
            (user,) = agentic_user_id
            call = {"agent_id": agent_id, "agentic_user_id": user, "tenant_id": tenant_id}
        before = calls.count(call)
        calls.append(call)
        answer = command.get("default_token", {"token": None})
        for entry in command.get("tokens", []):
            is_user = entry.get("agentic_user_id") is None or (entry["agentic_user_id"],) == agentic_user_id
            if entry["agent_id"] == agent_id and entry["tenant_id"] == tenant_id and is_user:
                answer = entry["answer"]
                break
        if "sequence" in answer:
            answer = answer["sequence"][min(before, len(answer["sequence"]) - 1)]
        if "raises" in answer:
            raise RuntimeError(answer["raises"])
        if "async_token" in answer:
            return later(answer["async_token"])
        return answer["token"]

    return resolve


async def later(token):
    return token


def attributes(pairs):
    """What a span of the SDK holds after these calls of `set_attribute`."""
    held = BoundedAttributes(immutable=False)
    for key, typed in pairs or []:
        held[key] = plain(typed)
    return held


def context(ids):
    return SpanContext(
        int(ids["trace_id"], 16),
        int(ids["span_id"], 16),
        is_remote=ids.get("is_remote", False),
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )


def span(data):
    scope = data["scope"]
    return ReadableSpan(
        name=data["name"],
        context=context(data),
        parent=context(data["parent"]) if data["parent"] else None,
        resource=Resource({key: plain(typed) for key, typed in data["resource"]}),
        attributes=attributes(data["attributes"]),
        events=[
            Event(event["name"], attributes(event["attributes"]), event["timestamp_unix_nano"])
            for event in data["events"]
        ],
        links=[Link(context(link), attributes(link["attributes"])) for link in data["links"]],
        kind=SpanKind[data["kind"]],
        status=Status(StatusCode[data["status"]["code"]], data["status"]["description"]),
        start_time=data["start_time_unix_nano"],
        end_time=data["end_time_unix_nano"],
        instrumentation_scope=InstrumentationScope(scope["name"], scope["version"]),
    )


def export(command):
    given = command["input"]
    calls = []
    exporter = generation.exporter(given, token_resolver(given, calls))
    outcome = generation.note_outcome(exporter)
    if given.get("shutdown_before_export"):
        exporter.shutdown()
    result = exporter.export([span(data) for data in given["spans"]])
    noted = outcome()
    exporter.shutdown()
    return {"result": result.name, "token_resolver_calls": calls, **noted}


def run(steps, scope):
    for step in steps:
        run_step(step, scope)


def run_step(step, scope):
    operation = step["op"]
    if operation == "baggage":
        builder = core.BaggageBuilder()
        for call in step["calls"]:
            getattr(builder, call["op"])(*setter_arguments(call))
        with builder.build():
            run(step["steps"], scope)
    elif operation == "scope":
        with start(step, scope) as inner:
            run(step["steps"], inner)
    elif operation == "span":
        tracer = generation.get_tracer()
        given = dict(attributes(step["attributes"]))
        with tracer.start_as_current_span(
            step["name"],
            kind=SpanKind[step["kind"]],
            attributes=given,
            record_exception=False,
            set_status_on_exception=False,
        ):
            run(step["steps"], scope)
    elif operation == "call":
        getattr(scope, step["method"])(*call_arguments(step))
    elif operation == "try":
        try:
            run(step["steps"], scope)
        except ValueError:
            # Thrown by a `raise` step; the scopes on its way have seen it.
            return
    elif operation == "raise":
        raise ValueError(step["message"])
    else:
        raise NotImplementedError(f"no such step: {operation}")


def start(step, outer):
    """Starts a scope; with `from_headers`, it knows its parent only by the headers of the enclosing scope."""
    if not step.get("from_headers"):
        return generation.START[step["scope"]](step["args"])
    headers = outer.inject_context_to_headers()
    # As in another process, nothing is current there.
    token = current.attach(current.Context())
    try:
        details = {"parent_headers": headers}
        return generation.START[step["scope"]]({**step["args"], "span_details": details})
    finally:
        current.detach(token)


def setter_arguments(call):
    if call["op"] == "set_pairs":
        form, pairs = call["args"]
        pairs = [(key, plain(typed)) for key, typed in pairs or []]
        return [dict(pairs) if form == "dict" else pairs]
    return generation.setter_arguments(call)


def call_arguments(step):
    if step["method"] == "record_error":
        (given,) = step["args"]
        return [getattr(builtins, given["type"])(given["message"])]
    if step["method"] == "record_attributes":
        (pairs,) = step["args"]
        return [[(key, plain(typed)) for key, typed in pairs]]
    return generation.call_arguments(step["method"], step["args"])


def configure(command):
    return {"installed": generation.configure(command, token_resolver(command, []))}


def scenario(command):
    run(command["steps"], None)
    return {"flushed": generation.flush()}


def main():
    # The package logs what goes wrong, and here much goes wrong on purpose.
    logging.getLogger().addHandler(logging.NullHandler())
    connect_everything_to(sys.argv[1])
    commands = {"export": export, "configure": configure, "scenario": scenario}
    if hasattr(generation, "turns"):
        commands["turns"] = generation.turns
    for line in sys.stdin:
        command = json.loads(line)
        answer = commands[command["op"]](command)
        print(json.dumps(answer), flush=True)


main()
