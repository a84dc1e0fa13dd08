"""What version 2.0.0 of the reference package has in a form of its own, for `agent365.py`."""

from microsoft_agents_a365.observability import core
from microsoft_agents_a365.observability.core.exporters.agent365_exporter import _Agent365Exporter
from microsoft_agents_a365.observability.core.models.agent_type import AgentType
from microsoft_agents_a365.observability.hosting.scope_helpers.populate_baggage import populate

import agent365_since_v2 as forms
from agent365_before_v3 import configure, flush, get_tracer, note_outcome  # what the driver uses
from agent365_since_v2 import either, made

turns = forms.turn_of(populate)


def exporter(given, token_resolver):
    limit = given.get("max_payload_bytes")
    return forms.with_domain(
        given.get("domain_override"),
        lambda: _Agent365Exporter(
            token_resolver,
            cluster_category=given["cluster_category"],
            use_s2s_endpoint=given["use_s2s_endpoint"],
            **({"max_payload_bytes": limit} if limit is not None else {}),
        ),
    )


def decision(name):
    return core.GuardrailDecisionType[name]


START = {
    "invoke_agent": forms.start_invoke_agent,
    "execute_tool": forms.start_execute_tool,
    "inference": forms.start_inference,
    "output": forms.start_output,
    "apply_guardrail": lambda given: forms.start_apply_guardrail(given, decision),
}


def setter_arguments(call):
    if call["op"] == "agent_type":
        return [made(either(AgentType), argument) for argument in call["args"]]
    return call["args"]


def call_arguments(method, arguments):
    if method == "record_decision":
        return [decision(arguments[0]), *arguments[1:]]
    return forms.call_arguments(method, arguments)
