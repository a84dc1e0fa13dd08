"""Records what `microsoft-opentelemetry` does with inputs of `scopes_v3`, `baggage_v3`, `hosting_v3` and `size_v3`.

Each function takes the input of a case, plays it to the package, and returns `expected`.
"""

import asyncio
import builtins
import itertools
import json
import os
import time
from contextlib import ExitStack
from types import SimpleNamespace

from microsoft.opentelemetry.a365 import core
from microsoft.opentelemetry.a365.core.exporters.span_processor import A365SpanProcessor
from microsoft.opentelemetry.a365.hosting.middleware import BaggageMiddleware, OutputLoggingMiddleware
from microsoft.opentelemetry.a365.hosting.scope_helpers import populate_baggage, populate_invoke_agent_scope
from microsoft.opentelemetry.a365.hosting.token_cache_helpers import AgenticTokenCache, AgenticTokenStruct
from microsoft_agents.activity import Activity
from opentelemetry import baggage as otel_baggage
from opentelemetry import context as current
from opentelemetry.sdk.trace import IdGenerator, SpanProcessor, TracerProvider
from opentelemetry.trace import SpanKind

import agent365_since_v2 as forms
import agent365_v3 as generation
from agent365_since_v2 import made
from agent365_v3_size import size
from typed_values import plain

SWITCHES = ("ENABLE_OBSERVABILITY", "ENABLE_A365_OBSERVABILITY", "ENABLE_A365_OBSERVABILITY_EXPORTER")


class CountedIds(IdGenerator):
    """Trace ids from `a000…0001` on, span ids from `b000…0001` on."""

    def __init__(self):
        self.traces, self.spans = itertools.count(0xA << 124 | 1), itertools.count(0xB << 60 | 1)

    def generate_trace_id(self):
        return next(self.traces)

    def generate_span_id(self):
        return next(self.spans)


class Kept(SpanProcessor):
    def __init__(self):
        self.spans = []

    def on_end(self, span):
        self.spans.append(span)


class Recording:
    """A provider of its own for the package's tracers, which keeps what is finished."""

    def __init__(self, *processors):
        self.provider = TracerProvider(id_generator=CountedIds())
        self.kept = Kept()
        for processor in (*processors, self.kept):
            self.provider.add_span_processor(processor)
        core.OpenTelemetryScope._tracer = self.provider.get_tracer("Agent365Sdk", "")
        core.OpenTelemetryScope._enabled_by_distro = False

    def shown(self):
        return [shown_span(span) for span in self.kept.spans]


def set_switches(values):
    for name in SWITCHES:
        os.environ.pop(name, None)
    os.environ.update(values)


def typed(value):
    """A value of the SDK in the form of the vectors."""
    kinds = {bool: "bool", int: "int", float: "double", str: "string"}
    if value is None:
        return {"null": True}
    if isinstance(value, dict):
        return {"map": [[key, typed(item)] for key, item in value.items()]}
    if isinstance(value, (list, tuple)):
        items = [number(item) for item in value]
        found = {type(item) for item in value}
        return {f"{kinds[found.pop()]}_array": items} if len(found) == 1 else {"array": items}
    return {kinds[type(value)]: number(value)}


def number(value):
    """JSON has no numbers that are not finite."""
    if isinstance(value, float) and value - value != 0:
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return value


def pairs(attributes):
    return [[key, typed(value)] for key, value in (attributes or {}).items()]


def shown_event(event):
    if event.name != "exception":
        return {"name": event.name, "attributes": pairs(event.attributes)}
    named = {key: event.attributes.get(key) for key in ("exception.type", "exception.message", "exception.escaped")}
    return {"name": event.name, **named, "has_stacktrace": bool(event.attributes.get("exception.stacktrace"))}


def shown_span(span):
    context, parent = span.get_span_context(), span.parent
    return {
        "name": span.name,
        "kind": span.kind.name,
        "status": {"code": span.status.status_code.name, "description": span.status.description},
        "attributes": pairs(span.attributes),
        "events": [shown_event(event) for event in span.events],
        "links": [
            {
                "trace_id": f"{link.context.trace_id:032x}",
                "span_id": f"{link.context.span_id:016x}",
                "attributes": pairs(link.attributes),
            }
            for link in span.links
        ],
        "instrumentation_scope": {
            "name": span.instrumentation_scope.name,
            "version": span.instrumentation_scope.version,
        },
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
        "parent_span_id": f"{parent.span_id:016x}" if parent else None,
        "parent_is_remote": parent.is_remote if parent else None,
    }


def shown_error(error):
    return {"type": type(error).__name__, "message": str(error)}


def exception(given):
    kind, message = given["type"], given.get("message", "")
    if kind == "custom":
        return type(given["class_name"], (Exception,), {"__module__": given["module"]})(message)
    if kind == "JSONDecodeError":
        return json.JSONDecodeError(message, "", 0)
    if kind == "requests.ConnectionError":
        import requests

        return requests.ConnectionError(message)
    if kind == "no_args":
        return ValueError()
    return getattr(builtins, kind)(message)


# Scopes.


def scopes(given):
    recording, injected = Recording(), []
    core.OpenTelemetryScope._enabled_by_distro = given.get("enabled_by_distro", False)
    set_switches(given["env"])
    began, raised = time.time_ns(), None
    try:
        open_scopes(given["scopes"], injected)
    except Exception as error:
        raised = shown_error(error)
    shown = recording.shown()
    if "_time" in json.dumps(given):
        for one, span in zip(shown, recording.kept.spans):
            for name, at in (("start_time_unix_nano", span.start_time), ("end_time_unix_nano", span.end_time)):
                one[name] = "wall_clock" if began <= at <= time.time_ns() else at
    expected = {"raised": raised, "spans": shown}
    if any(scope.get("inject_headers") for scope in given["scopes"]):
        expected["injected_headers"] = injected
    return expected


def open_scopes(given, injected):
    if not given:
        return
    first, *inner = given
    scope = generation.START[first["scope"]](first["args"])

    def work():
        for action in first.get("actions", []):
            act(scope, action)
        if first.get("inject_headers"):
            headers = scope.inject_context_to_headers()
            injected.append({"headers": headers, "traceparent": headers.get("traceparent")})
        open_scopes(inner, injected)
        if "raise" in first:
            raise exception(first["raise"])

    if first.get("close", "block") == "block":
        with scope:
            work()
        return
    work()
    scope.dispose()
    if first.get("dispose_twice") or first["close"] == "dispose_twice":
        scope.dispose()


def act(scope, action):
    if "set_env" in action:
        set_switches(action["set_env"])
        return
    method, arguments = action["op"], action.get("args", [])
    if method == "record_error":
        arguments = [exception(arguments[0])]
    elif method == "record_attributes":
        attributes = [(key, plain(value)) for key, value in arguments[0]]
        arguments = [dict(attributes) if action.get("as") == "dict" else attributes]
    elif method == "set_attribute":
        scope._span.set_attribute(arguments[0], plain(arguments[1]))
        return
    else:
        arguments = generation.call_arguments(method, arguments)
    getattr(scope, method)(*arguments)


# Baggage.


def baggage(given):
    recording = Recording(A365SpanProcessor(**given.get("processor", {})))
    set_switches({"ENABLE_OBSERVABILITY": "true"})
    expected = {"builder_pairs": [], "custom_keys": [], "raised": None, "baggage": None}
    token = current.attach(current.Context())
    try:
        with ExitStack() as layers:
            for layer in given["layers"]:
                enter(layers, layer, expected)
            for span in given["spans"]:
                start_and_end(span, recording)
            expected["baggage"] = entries()
    except Exception as error:
        expected["raised"] = shown_error(error)
    expected["baggage_after"] = entries()
    current.detach(token)
    expected["spans"] = [{"name": span.name, "attributes": pairs(span.attributes)} for span in recording.kept.spans]
    return expected


def entries():
    return [[key, value] for key, value in otel_baggage.get_all().items()]


def enter(layers, layer, expected):
    if "raw" in layer:
        context = current.get_current()
        for key, value in layer["raw"]:
            context = otel_baggage.set_baggage(key, plain(value), context)
        layers.callback(current.detach, current.attach(context))
        return
    builder = core.BaggageBuilder()
    for call in layer["calls"]:
        getattr(builder, call["op"])(*setter_arguments(call))
    expected["builder_pairs"].append([[key, value] for key, value in builder._pairs.items()])
    expected["custom_keys"].append(list(builder._custom_keys))
    layers.enter_context(builder.build())


def setter_arguments(call):
    if call["op"] == "set_pairs":
        form, given = call["args"]
        attributes = [(key, plain(value)) for key, value in given or []]
        return [{"dict": dict(attributes), "list": attributes, "none": None}[form]]
    return generation.setter_arguments(call)


def start_and_end(given, recording):
    if "scope" in given:
        kind = {"guardrail": "apply_guardrail"}.get(given["scope"], given["scope"])
        generation.START[kind](scope_arguments(kind, given)).dispose()
        return
    context = None
    if "parent_baggage" in given:
        context = current.Context()
        for key, value in given["parent_baggage"]:
            context = otel_baggage.set_baggage(key, plain(value), context)
    tracer = recording.provider.get_tracer(given.get("tracer", "vectors"))
    attributes = {key: plain(value) for key, value in given.get("attributes", [])}
    kind = SpanKind[given.get("kind") or "INTERNAL"]
    span = tracer.start_span(given["name"], context, kind, attributes)
    if "rename" in given:
        span.update_name(given["rename"])
    span.end()


def scope_arguments(kind, given):
    details = {
        "execute_tool": {"tool_name": given.get("tool_name")},
        "inference": {"operationName": given.get("operation"), "model": "m", "providerName": "p"},
        "apply_guardrail": {"target_type": "llm_input", "decision_type": "allow"},
    }
    return {
        "request": {"session_id": given.get("session_id")},
        "response": "hi",
        "details": details.get(kind),
        "agent_details": given["agent_details"],
    }


# Hosting.


def hosting(given):
    set_switches({"ENABLE_OBSERVABILITY": "true"})
    token = current.attach(current.Context())
    try:
        if given["function"] == "token_cache":
            return token_cache(given["steps"])
        try:
            activity = Activity.model_validate(given["activity"])
            outgoing = [Activity.model_validate(one) for one in given.get("outgoing", [])]
        except Exception as error:
            return {"activity_rejected": type(error).__name__}
        turn = Turn(activity, given.get("turn_state", {}))
        return HOSTING[given["function"]](given, turn, outgoing)
    finally:
        current.detach(token)


class Turn:
    """As much of a turn as the package's helpers look at."""

    def __init__(self, activity, turn_state):
        self.activity, self.turn_state, self.handlers = activity, dict(turn_state), []

    def on_send_activities(self, handler):
        self.handlers.append(handler)


def of_builder(_given, turn, _outgoing):
    builder = populate_baggage.populate(core.BaggageBuilder(), turn)
    return {"pairs": [[key, value] for key, value in builder._pairs.items()]}


def of_scope(given, turn, _outgoing):
    recording = Recording()
    arguments = {"request": {}, "agent_details": given["agent_details"]}
    scope = generation.START["invoke_agent"](arguments)
    populate_invoke_agent_scope.populate(scope, turn)
    scope.dispose()
    return {"spans": recording.shown()}


def of_middleware(_given, turn, _outgoing):
    inside = []

    async def logic():
        inside.extend(entries())

    asyncio.run(BaggageMiddleware().on_turn(turn, logic))
    return {"baggage_inside": inside, "baggage_after": entries()}


def output_logging(given, turn, outgoing):
    recording, sent, raised = Recording(), [], None

    async def send_next():
        sent.append(outgoing)
        if "send_raises" in given:
            raise exception(given["send_raises"])

    async def logic():
        turn.turn_state.update(given.get("turn_state_during", {}))
        send = send_next
        for handler in reversed(turn.handlers):
            send = lambda handler=handler, following=send: handler(turn, outgoing, following)
        await send()

    try:
        asyncio.run(OutputLoggingMiddleware().on_turn(turn, logic))
    except Exception as error:
        raised = shown_error(error)
    return {"handlers": len(turn.handlers), "sent": len(sent), "raised": raised, "spans": recording.shown()}


HOSTING = {
    "populate_baggage": of_builder,
    "populate_invoke_agent_scope": of_scope,
    "baggage_middleware": of_middleware,
    "output_logging": output_logging,
}


def token_cache(steps):
    cache, exchanges, shown = AgenticTokenCache(), [], []
    for step in steps:
        identity = step["agent_id"], step["tenant_id"]
        if step["op"] == "get":
            exchanges.clear()
            token = asyncio.run(cache.get_observability_token(*identity))
            shown.append({"token": token, "exchanges": list(exchanges)})
            continue
        try:
            struct = made(lambda given: token_struct(given, exchanges), step["generator"])
            cache.register_observability(*identity, struct, step["scopes"])
            shown.append({})
        except Exception as error:
            shown.append({"error": shown_error(error)})
    return {"steps": shown}


def token_struct(given, exchanges):
    async def exchange_token(context, scopes, auth_handler_id):
        exchanges.append({"scopes": scopes, "auth_handler_id": auth_handler_id})
        if "raises" in given:
            raise exception(given["raises"])
        return SimpleNamespace(token=given.get("token"))

    handler = {"auth_handler_name": given["handler"]} if "handler" in given else {}
    return AgenticTokenStruct(SimpleNamespace(exchange_token=exchange_token), SimpleNamespace(), **handler)


FILES = {"scopes_v3": scopes, "baggage_v3": baggage, "hosting_v3": hosting, "size_v3": size}
