"""Plays the reference package of Agent 365 for `cargo xtask peers agent365`.

Reads one JSON object per line from standard input and answers each with one line on standard output. The package is
used as it is: its exporter, its scopes, its baggage, its span processor, its pipeline. Only name resolution differs:
every host is the loopback service whose address is the first argument. The service speaks TLS for the host that was
asked for; REQUESTS_CA_BUNDLE names the authority to trust.

The commands:

    {"op": "export", "input": ...}         one export; `input` as in the vectors `export_v0_1.json`
    {"op": "configure", ...}               installs the package's whole pipeline, once
    {"op": "scenario", "steps": [...]}     runs scopes, spans and baggage, then flushes the pipeline
"""

import builtins
import json
import logging
import os
import socket
import sys
from urllib.parse import urlparse

import urllib3.util.connection
from microsoft_agents_a365.observability import core
from microsoft_agents_a365.observability.core.agent_details import AgentDetails
from microsoft_agents_a365.observability.core.exporters.agent365_exporter import Agent365Exporter
from microsoft_agents_a365.observability.core.models.agent_type import AgentType
from microsoft_agents_a365.observability.core.models.caller_details import CallerDetails
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags


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

    def resolve(agent_id, tenant_id):
        calls.append([agent_id, tenant_id])
        answer = command.get("default_token", {"token": None})
        for entry in command.get("tokens", []):
            if entry["agent_id"] == agent_id and entry["tenant_id"] == tenant_id:
                answer = entry["answer"]
                break
        if "raises" in answer:
            raise RuntimeError(answer["raises"])
        return answer["token"]

    return resolve


def plain(typed):
    """The value of a typed value of the vectors."""
    ((kind, value),) = typed.items()
    if kind == "string_repeat":
        return value["unit"] * value["count"]
    if kind in ("double", "double_array"):
        return [float(item) for item in value] if isinstance(value, list) else float(value)
    return value


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
    exporter = Agent365Exporter(
        token_resolver(given, calls),
        cluster_category=given["cluster_category"],
        use_s2s_endpoint=given["use_s2s_endpoint"],
    )
    if given.get("shutdown_before_export"):
        exporter.shutdown()
    result = exporter.export([span(data) for data in given["spans"]])
    exporter.shutdown()
    return {"result": result.name, "token_resolver_calls": calls}


def member(enumeration, value):
    return enumeration(value) if value is not None else None


def endpoint(fields):
    if fields is None:
        return None
    port = f":{fields['port']}" if "port" in fields else ""
    return urlparse(f"https://{fields['host']}{port}")


def agent(fields):
    if fields is None:
        return None
    return AgentDetails(**{**fields, "agent_type": member(AgentType, fields.get("agent_type"))})


def tenant(fields):
    return core.TenantDetails(**fields) if fields is not None else None


def request(fields):
    if fields is None:
        return None
    source = fields.get("source_metadata")
    return core.Request(
        **{
            **fields,
            "execution_type": member(core.ExecutionType, fields.get("execution_type")),
            "source_metadata": core.SourceMetadata(**source) if source is not None else None,
        }
    )


def start_invoke_agent(given):
    details = given["invoke_agent_details"]
    caller = given.get("caller_details")
    return core.InvokeAgentScope.start(
        core.InvokeAgentDetails(
            agent(details["details"]), endpoint(details.get("endpoint")), details.get("session_id")
        ),
        tenant(given.get("tenant_details")),
        request(given.get("request")),
        agent(given.get("caller_agent_details")),
        CallerDetails(**caller) if caller is not None else None,
    )


def start_execute_tool(given):
    details = given["details"]
    return core.ExecuteToolScope.start(
        core.ToolCallDetails(**{**details, "endpoint": endpoint(details.get("endpoint"))}),
        agent(given.get("agent_details")),
        tenant(given.get("tenant_details")),
    )


def start_inference(given):
    details = given["details"]
    operation = core.InferenceOperationType(details["operationName"])
    return core.InferenceScope.start(
        core.InferenceCallDetails(**{**details, "operationName": operation}),
        agent(given.get("agent_details")),
        tenant(given.get("tenant_details")),
        request(given.get("request")),
    )


START = {
    "invoke_agent": start_invoke_agent,
    "execute_tool": start_execute_tool,
    "inference": start_inference,
}


def run(steps, scope):
    for step in steps:
        run_step(step, scope)


def run_step(step, scope):
    operation = step["op"]
    if operation == "baggage":
        builder = core.BaggageBuilder()
        for setter, value in step["calls"]:
            getattr(builder, setter)(value)
        with builder.build():
            run(step["steps"], scope)
    elif operation == "scope":
        with START[step["scope"]](step["args"]) as inner:
            run(step["steps"], inner)
    elif operation == "span":
        tracer = core.get_tracer("peer", "1.0")
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
        getattr(scope, step["method"])(*step["args"])
    elif operation == "attributes":
        scope.record_attributes([(key, plain(typed)) for key, typed in step["pairs"]])
    elif operation == "record_error":
        scope.record_error(error(step))
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


def error(step):
    return getattr(builtins, step["type"])(step["message"])


def configure(command):
    os.environ["ENABLE_OBSERVABILITY"] = "true"
    os.environ["ENABLE_A365_OBSERVABILITY_EXPORTER"] = "true"
    installed = core.configure(
        service_name=command["service_name"],
        service_namespace=command["service_namespace"],
        token_resolver=token_resolver(command, []),
        cluster_category=command["cluster_category"],
    )
    return {"installed": installed}


def scenario(command):
    run(command["steps"], None)
    return {"flushed": core.get_tracer_provider().force_flush()}


def main():
    # The package logs what goes wrong, and here much goes wrong on purpose.
    logging.getLogger().addHandler(logging.NullHandler())
    connect_everything_to(sys.argv[1])
    commands = {"export": export, "configure": configure, "scenario": scenario}
    for line in sys.stdin:
        command = json.loads(line)
        answer = commands[command["op"]](command)
        print(json.dumps(answer), flush=True)

main()
