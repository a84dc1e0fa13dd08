"""What the packages since version 2.0.0 have in one form, for `agent365_v2.py` and `agent365_v3.py`."""

import os
from datetime import datetime
from types import SimpleNamespace

try:
    from microsoft.opentelemetry.a365 import core
    from microsoft.opentelemetry.a365.core.utils import extract_context_from_headers
except ImportError:
    from microsoft_agents_a365.observability import core
    from microsoft_agents_a365.observability.core import extract_context_from_headers
from microsoft_agents.activity import Activity, ChannelAccount
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags

from typed_values import plain

DOMAIN_OVERRIDE = "A365_OBSERVABILITY_DOMAIN_OVERRIDE"

PARTS = {
    "text": core.TextPart,
    "tool_call": core.ToolCallRequestPart,
    "tool_call_response": core.ToolCallResponsePart,
    "reasoning": core.ReasoningPart,
    "blob": core.BlobPart,
    "file": core.FilePart,
    "uri": core.UriPart,
    "server_tool_call": core.ServerToolCallPart,
    "server_tool_call_response": core.ServerToolCallResponsePart,
    "generic": core.GenericPart,
}


def with_domain(domain, build):
    """What `build` makes while the environment names this domain."""
    if domain is not None:
        os.environ[DOMAIN_OVERRIDE] = domain
    try:
        return build()
    finally:
        os.environ.pop(DOMAIN_OVERRIDE, None)


def made(build, fields):
    """What `build` makes of the fields, if there are any."""
    return build(fields) if fields is not None else None


def either(enumeration):
    """A member of an enumeration, written `{"enum": NAME}`, or a text."""
    return lambda value: enumeration[value["enum"]] if isinstance(value, dict) else value


def agent(fields):
    kind = fields.get("agent_type")
    if kind is None:
        return core.AgentDetails(**fields)
    # The successor has no types of agents.
    from microsoft_agents_a365.observability.core.models.agent_type import AgentType

    return core.AgentDetails(**{**fields, "agent_type": either(AgentType)(kind)})


def user(fields):
    return core.UserDetails(**fields)


def endpoint(fields):
    return core.ServiceEndpoint(**fields)


def part(fields):
    fields = dict(fields)
    build = PARTS[fields.pop("part")]
    if "modality" in fields:
        fields["modality"] = either(core.Modality)(fields["modality"])
    return build(**fields)


def message(build):
    def build_message(fields):
        parts = [part(given) for given in fields["parts"]]
        return build(**{**fields, "role": core.MessageRole(fields["role"]), "parts": parts})

    return build_message


def input_messages(given):
    if isinstance(given, dict):
        return core.InputMessages([message(core.ChatMessage)(one) for one in given["messages"]])
    return given


def output_messages(given):
    if isinstance(given, dict) and "dict" in given:
        return given["dict"]
    if isinstance(given, dict):
        return core.OutputMessages([message(core.OutputMessage)(one) for one in given["messages"]])
    return given


def request(fields):
    fields = fields or {}
    return core.Request(
        **{
            **fields,
            "content": made(input_messages, fields.get("content")),
            "channel": made(lambda given: core.Channel(**given), fields.get("channel")),
        }
    )


def link(fields):
    ids = SpanContext(
        int(fields["trace_id"], 16),
        int(fields["span_id"], 16),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    return Link(ids, {key: plain(typed) for key, typed in fields.get("attributes") or []})


def span_details(fields):
    times = {name: made(datetime.fromisoformat, fields.get(name)) for name in ("start_time", "end_time")}
    return core.SpanDetails(
        span_kind=made(lambda name: SpanKind[name], fields.get("span_kind")),
        parent_context=made(extract_context_from_headers, fields.get("parent_headers")),
        span_links=made(lambda links: [link(one) for one in links], fields.get("span_links")),
        **times,
    )


def of_all(given):
    """The arguments that all scopes but one take at the end."""
    return (
        made(user, given.get("user_details")),
        made(span_details, given.get("span_details")),
    )


def start_invoke_agent(given, **parameters):
    """Starts it, with what only the successor's details have."""
    return core.InvokeAgentScope.start(
        request(given.get("request")),
        core.InvokeAgentScopeDetails(made(endpoint, given.get("endpoint")), **parameters),
        made(agent, given.get("agent_details")),
        made(
            lambda fields: core.CallerDetails(
                made(user, fields.get("user_details")),
                made(agent, fields.get("caller_agent_details")),
            ),
            given.get("caller_details"),
        ),
        made(span_details, given.get("span_details")),
    )


def start_execute_tool(given, payload=lambda value: value):
    details = given["details"]
    return core.ExecuteToolScope.start(
        request(given.get("request")),
        core.ToolCallDetails(
            **{
                **details,
                "endpoint": made(endpoint, details.get("endpoint")),
                "arguments": made(payload, details.get("arguments")),
            }
        ),
        made(agent, given.get("agent_details")),
        *of_all(given),
    )


def start_inference(given):
    details = given["details"]
    return core.InferenceScope.start(
        request(given.get("request")),
        core.InferenceCallDetails(
            **{
                **details,
                "operationName": core.InferenceOperationType[details["operationName"]],
                "endpoint": made(endpoint, details.get("endpoint")),
            }
        ),
        made(agent, given.get("agent_details")),
        *of_all(given),
    )


def start_output(given):
    return core.OutputScope.start(
        request(given.get("request")),
        core.Response(output_messages(given["response"])),
        made(agent, given.get("agent_details")),
        *of_all(given),
    )


def start_apply_guardrail(given, decision=lambda name: name):
    details = given["details"]
    return core.ApplyGuardrailScope.start(
        core.GuardrailDetails(**{**details, "decision_type": decision(details["decision_type"])}),
        made(agent, given.get("agent_details")),
        made(request, given.get("request")),
        *of_all(given),
    )


def call_arguments(method, arguments):
    if method == "record_input_messages":
        return [input_messages(argument) for argument in arguments]
    if method == "record_output_messages":
        return [output_messages(argument) for argument in arguments]
    if method == "record_finding":
        return [core.GuardrailFinding(**argument) for argument in arguments]
    if method == "set_end_time":
        return [datetime.fromisoformat(argument) for argument in arguments]
    return arguments


def turn_of(populate):
    """What `populate` makes of a turn of a conversation; `refused` if its activity is none."""

    def turn(given):
        try:
            activity = Activity.model_validate(given)
        except Exception as error:  # pydantic's, and several of the class itself
            return {"refused": type(error).__name__}
        lacks_recipient = activity.recipient is None
        if lacks_recipient:
            # 2.0.0 fails then; what it would say of a recipient of whom nothing is known is compared.
            activity.recipient = ChannelAccount()
        builder = populate(core.BaggageBuilder(), SimpleNamespace(activity=activity))
        return {"pairs": list(builder._pairs.items()), "lacks_recipient": lacks_recipient}

    return lambda command: {"turns": [turn(activity) for activity in command["activities"]]}
