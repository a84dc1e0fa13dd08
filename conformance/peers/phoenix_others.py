"""Checks of what Phoenix shows of spans that are not of Agent Spec: those of scopes, and of a framework."""

import json

SCOPES = 3
FRAMEWORK = 1


def check_scopes(checks, spans, rendering):
    print(f"the scopes of Agent 365, {rendering}, with contents")
    by_name = {span["name"]: span for span in spans}
    agent, model, tool = (
        by_name.get(name)
        for name in ("invoke_agent Clerk", "chat gpt-4o", "execute_tool look_up")
    )
    checks.equal("an agent, a model and a tool", None in (agent, model, tool), False)
    kinds = [span["spanKind"] for span in (agent, model, tool)]
    checks.equal("span kinds", kinds, ["agent", "llm", "tool"])
    check_model(checks, model, ("Will it rain?", "No."), (11, 7), "gpt-4o")
    parameters = tool["attributes"]["tool"]["parameters"]
    parameters = json.loads(parameters) if isinstance(parameters, str) else parameters
    checks.equal("the parameters of the tool", parameters, {"city": "Zürich"})
    failed = [span["name"] for span in spans if span["statusCode"] == "ERROR"]
    checks.equal("exactly the failed span is an error", failed, [tool["name"]])


def check_framework(checks, spans, rendering):
    print(f"the span of a framework, {rendering}, with contents")
    (span,) = spans
    checks.equal("name and kind", (span["name"], span["spanKind"]), ("chat gpt-4o-mini", "llm"))
    check_model(checks, span, ("Umbrella?", None), (48, None), "gpt-4o-mini")
    checks.equal("error status", span["statusCode"], "ERROR")


def check_model(checks, span, texts, tokens, name):
    """The messages, the tokens and the name of a model, as far as they are known."""
    model = span["attributes"]["llm"]
    checks.equal("the model", model.get("model_name"), name)
    for side, text in zip(("input", "output"), texts):
        shown = [text_of(message["message"]) for message in model.get(f"{side}_messages", [])]
        checks.equal(f"{side} messages", shown, [text] if text else [])
    counts = (span["tokenCountPrompt"], span["tokenCountCompletion"])
    wanted = [(got, count) for got, count in zip(counts, tokens) if count is not None]
    checks.equal("token counts", [got for got, _ in wanted], [count for _, count in wanted])


def text_of(message):
    """A message's text, which Phoenix keeps as one text or as parts."""
    if message.get("content") is not None:
        return message["content"]
    contents = message.get("contents") or []
    return "".join(part["message_content"].get("text", "") for part in contents)
