"""Checks of what MLflow shows of spans that are not of Agent Spec: those of scopes, and of a framework."""

import json

SCOPES = 3
FRAMEWORK = 1

# MLflow's own words for a call of a model, by the rendering.
CALL = {"openinference": "LLM", "genai": "CHAT_MODEL"}


def check_scopes(checks, trace, rendering):
    print(f"the scopes of Agent 365, {rendering}, with contents")
    spans = trace.data.spans
    by_name = {span.name: span for span in spans}
    names = ["invoke_agent Clerk", "chat gpt-4o", "execute_tool look_up"]
    checks.equal("an agent, a model and a tool", sorted(by_name), sorted(names))
    agent, model, tool = (by_name[name] for name in names)
    kinds = [span.span_type for span in (agent, model, tool)]
    checks.equal("span kinds", kinds, ["AGENT", CALL[rendering], "TOOL"])
    checks.equal("the tree", {model.parent_id, tool.parent_id}, {agent.span_id})
    failed = [span.name for span in spans if span.status.status_code.name == "ERROR"]
    checks.equal("exactly the failed span is an error", failed, [tool.name])
    checks.equal("the model", model.model_name, "gpt-4o")
    usage = {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}
    checks.equal("token counts", model.get_attribute("mlflow.chat.tokenUsage"), usage)
    checks.equal("input messages", texts(model.inputs), ["Will it rain?"])
    checks.equal("output messages", texts(model.outputs), ["No."])
    checks.equal("the parameters of the tool", read(tool.inputs), {"city": "Zürich"})


def check_framework(checks, trace, rendering):
    print(f"the span of a framework, {rendering}, with contents")
    (span,) = trace.data.spans
    checks.equal("name and kind", (span.name, span.span_type), ("chat gpt-4o-mini", CALL[rendering]))
    checks.equal("the model", span.model_name, "gpt-4o-mini")
    checks.equal("error status", span.status.status_code.name, "ERROR")
    keys = {"openinference": "llm.token_count.prompt", "genai": "gen_ai.usage.input_tokens"}
    checks.equal("a number of tokens", span.get_attribute(keys[rendering]), 48)
    checks.equal("input messages", texts(span.inputs), ["Umbrella?"])


def read(value):
    return json.loads(value) if isinstance(value, str) else value


def texts(value):
    """The texts of messages, or the one text that stands for one."""
    try:
        value = read(value)
    except ValueError:
        return [value]
    if isinstance(value, str):
        return [value]
    return [text_of(message) for message in value]


def text_of(message):
    if message.get("content") is not None:
        return message["content"]
    return "".join(part.get("content", "") for part in message.get("parts", []))
