"""What `microsoft-opentelemetry` 1.5.0 has in a form of its own, for `agent365.py`."""

import json
import os
import tempfile
from base64 import b16decode
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from microsoft.opentelemetry.a365 import core
from microsoft.opentelemetry.a365.core.exporters import durable_delivery
from microsoft.opentelemetry.a365.core.exporters.agent365_exporter import _Agent365Exporter
from microsoft.opentelemetry.a365.core.exporters.utils import create_a365_components
from microsoft.opentelemetry.a365.hosting.scope_helpers.populate_baggage import populate
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

import agent365_since_v2 as forms
from agent365_since_v2 import made
from typed_values import plain

turns = forms.turn_of(populate)


def exporter(given, token_resolver):
    """The exporter with an empty queue on disk, from which nothing is sent again."""
    limit = given.get("max_payload_bytes")
    made_exporter = forms.with_domain(
        given.get("domain_override"),
        lambda: _Agent365Exporter(
            **resolvers(given.get("resolver", "simple"), token_resolver),
            cluster_category=given["cluster_category"],
            use_s2s_endpoint=given["use_s2s_endpoint"],
            enable_durable_delivery=given.get("durable_delivery", False),
            storage_directory=Path(tempfile.mkdtemp()),
            **({"max_payload_bytes": limit} if limit is not None else {}),
        ),
    )
    made_exporter._ensure_replay_started = lambda: None
    made_exporter._gate = durable_delivery.TransmissionGate(clock=lambda: 0.5, random_fn=lambda: 0.5)
    return made_exporter


def resolvers(kind, token_resolver):
    def contextual(context):
        identity = context.identity
        return token_resolver(identity.agent_id, context.tenant_id, identity.agentic_user_id)

    def simple(agent_id, tenant_id):
        return token_resolver(agent_id, tenant_id)

    given = {"simple": simple, "contextual": contextual}
    names = {"simple": ["simple"], "contextual": ["contextual"], "both": ["simple", "contextual"], "none": []}[kind]
    arguments = {"simple": "token_resolver", "contextual": "contextual_token_resolver"}
    return {arguments[name]: given[name] for name in names}


def note_outcome(noted):
    """What tells who waits, and for how long, and with how many spans."""

    def outcome():
        waiting = {}
        for record in noted._storage.claim(10_000, 1.0) if noted._storage is not None else ():
            whose = (record.tenant_id, record.agent_id, record.agentic_user_id)
            waiting[whose] = waiting.get(whose, 0) + spans_in(record.payload)
        states = noted._gate._states.values()
        return {
            "pauses": [round((state.blocked_until - 0.5) * 1e9) for state in states],
            "waiting": [[*whose, spans] for whose, spans in waiting.items()],
        }

    return outcome


def spans_in(body):
    resources = json.loads(body)["resourceSpans"]
    return sum(len(scope["spans"]) for resource in resources for scope in resource["scopeSpans"])


def configure(command, token_resolver):
    """Installs the whole pipeline, as the package's function for a provider of one's own makes it."""
    os.environ["ENABLE_OBSERVABILITY"] = "true"
    os.environ["ENABLE_A365_OBSERVABILITY_EXPORTER"] = "true"
    names = {"service.name": command["service_name"], "service.namespace": command["service_namespace"]}
    provider = TracerProvider(resource=Resource.create(names))
    handlers = create_a365_components(
        token_resolver=lambda agent_id, tenant_id: token_resolver(agent_id, tenant_id),
        storage_directory=tempfile.mkdtemp(),
    )
    for processor in handlers.span_processors:
        provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)
    return bool(handlers.span_processors)


def flush():
    return trace.get_tracer_provider().force_flush()


def get_tracer():
    return trace.get_tracer("peer", "1.0")


def request_parameters(fields):
    texts = made(lambda texts: [core.TextPart(text) for text in texts], fields.get("system_instructions"))
    return core.GenAiRequestParameters(**{**fields, "system_instructions": texts})


def response_parameters(fields):
    return core.GenAiResponseParameters(**fields)


def payload(value):
    """The arguments or the result of a tool, whose markers stand for what JSON does not have."""
    if isinstance(value, list):
        return [payload(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, argument),) = value.items()
        if name in MARKERS:
            return MARKERS[name](argument)
    return {name: payload(item) for name, item in value.items()}


def model(given):
    fields = {name: payload(value) for name, value in given["fields"].items()}
    return getattr(core, given["type"])(**fields)


def member(path):
    enumeration, name = path.split(".")
    return getattr(core, enumeration)[name]


MARKERS = {
    "$model": model,
    "$enum": member,
    "$float": float,
    "$decimal": Decimal,
    "$bytes_hex": lambda digits: b16decode(digits, casefold=True),
    "$date": date.fromisoformat,
    "$datetime": datetime.fromisoformat,
    "$uuid": UUID,
    "$set_of_one": lambda item: {payload(item)},
    "$int_key_map": lambda pairs: {int(key): payload(value) for key, value in pairs},
    "$object": lambda _: object(),
}


def start_invoke_agent(given):
    return forms.start_invoke_agent(
        given,
        request_parameters=made(request_parameters, given.get("request_parameters")),
        response_parameters=made(response_parameters, given.get("response_parameters")),
    )


START = {
    "invoke_agent": start_invoke_agent,
    "execute_tool": lambda given: forms.start_execute_tool(given, payload),
    "inference": forms.start_inference,
    "output": forms.start_output,
    "apply_guardrail": forms.start_apply_guardrail,
}


def setter_arguments(call):
    if call["op"] == "custom_attributes":
        form, pairs = call["args"]
        pairs = [(key, plain(typed)) for key, typed in pairs]
        return [dict(pairs) if form == "dict" else pairs]
    return call["args"]


def call_arguments(method, arguments):
    if method == "record_response":
        return [payload(argument) for argument in arguments]
    if method == "record_response_parameters":
        return [response_parameters(argument) for argument in arguments]
    if method == "record_content_input":
        return [forms.input_messages(argument) for argument in arguments]
    return forms.call_arguments(method, arguments)
