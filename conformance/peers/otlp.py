"""Shows traces of Agent Spec in MLflow, for `cargo xtask peers otlp`.

    otlp.py SENDER DIRECTORY

MLflow's tracking server is a receiver of OTLP that shares no code with Phoenix. It listens for protobuf over HTTP and
not for gRPC; `phoenix.py` does gRPC. Starts the server on the loopback with its data in DIRECTORY, sends the assistant's
trace, the long conversation, the scopes of Agent 365 and a framework's span with SENDER, in both renderings, and asks
MLflow's client for what the pages show.
"""

import json
import os
import sys

import otlp_others
import receiver
from receiver import ANSWER, ANSWERED, CONVERSATION, FORECAST, LOOK_UP, PLAN, ROOT, STORE, TREE, WHOLE

# MLflow's own words for what a span does, where it knows the rendering's.
KINDS = {
    "openinference": {"AGENT": "AGENT", "LLM": "LLM", "TOOL": "TOOL", "CHAIN": "CHAIN"},
    # MLflow knows no kind for workflows and nodes of the GenAI conventions.
    "genai": {"AGENT": "AGENT", "LLM": "CHAT_MODEL", "TOOL": "TOOL", "CHAIN": None},
}
KIND_OF_PREFIX = {"invoke_agent": "AGENT", "chat": "LLM", "execute_tool": "TOOL"}


def check_structure(checks, trace, rendering):
    """What is shown whether or not contents are."""
    by_place, tree = receiver.by_place(
        trace.data.spans, lambda s: s.name, lambda s: s.span_id, lambda s: s.parent_id
    )
    checks.equal("the tree: each span once, under its parent", tree, sorted(TREE, key=str))
    wanted = {
        place: KINDS[rendering][KIND_OF_PREFIX.get(place[0].split(" ")[0], "CHAIN")]
        for place in TREE
    }
    got = {place: span.span_type for place, span in by_place.items()}
    checks.equal("span kinds", got, wanted)
    for place, (prompt, completion) in {PLAN: (40, 12), ANSWER: (25, 9)}.items():
        span = by_place[place]
        checks.equal(f"model name of {place}", span.model_name, "gpt-4o")
        usage = span.get_attribute("mlflow.chat.tokenUsage")
        wanted = {
            "input_tokens": prompt,
            "output_tokens": completion,
            "total_tokens": prompt + completion,
        }
        checks.equal(f"token counts of {place}", usage, wanted)
    usage = trace.info.token_usage
    wanted = {"input_tokens": 65, "output_tokens": 21, "total_tokens": 86}
    checks.equal("tokens of the whole trace", usage, wanted)
    failed = [place for place, span in by_place.items() if span.status.status_code.name == "ERROR"]
    checks.equal("exactly the failed span is an error", failed, [STORE])
    return by_place


def check_masked(checks, trace, rendering, directory):
    print(f"the assistant's trace, {rendering}, masked by default")
    by_place = check_structure(checks, trace, rendering)
    store = by_place[STORE]
    checks.equal("error status without the message", store.status.description, "ArchiveError")
    checks.equal("no content in what is shown", receiver.contents_in(trace.to_json()), [])
    checks.equal("no content in any file of the server", receiver.contents_in_files(directory), [])


def check_clear(checks, trace, rendering):
    print(f"the assistant's trace, {rendering}, with contents")
    by_place = check_structure(checks, trace, rendering)
    store = by_place[STORE]
    message = "the archive of Zürich is full"
    checks.equal("error status", store.status.description, message)
    checks.equal(
        "exception event",
        [
            event.attributes.get("exception.message")
            for event in store.events
            if event.name == "exception"
        ],
        [message],
    )
    agent, forecast = by_place[WHOLE], by_place[FORECAST]
    checks.equal("parameters of the tool", parameters(forecast), {"city": "Zürich"})
    checks.equal("output of the tool", forecast.outputs, {"weather": "sunny"})
    plan, answer = by_place[PLAN], by_place[ANSWER]
    asked = [("system", "You are terse."), ("user", "Umbrella in Zürich?")]
    checks.equal("input messages", messages(plan.inputs), asked)
    checks.equal("the tool call", tool_call(plan, rendering), ("call-1", "forecast", {"city": "Zürich"}))
    if rendering == "genai":
        checks.equal("input of the agent", one_text(agent.inputs), {"city": "Zürich"})
        checks.equal("output of the agent", one_text(agent.outputs), {"answer": ANSWERED})
        checks.equal(
            "the streamed answer, whole", messages(answer.outputs), [("assistant", ANSWERED)]
        )
        return
    checks.equal("input of the agent", agent.inputs, {"city": "Zürich"})
    checks.equal("output of the agent", agent.outputs, {"answer": ANSWERED})
    checks.equal("the streamed answer, whole", answer.outputs, ANSWERED)
    look_up = by_place[LOOK_UP]
    checks.equal("input of a node", look_up.inputs, {"city": "Zürich"})
    checks.equal("output of a node", look_up.outputs, {"weather": "sunny"})


def check_conversation(checks, trace, rendering):
    print(f"a conversation of 200 messages, {rendering}")
    (span,) = [span for span in trace.data.spans if span.name != ROOT]
    texts = [text for _, text in messages(span.inputs)]
    checks.equal("every message arrived, in order", texts, CONVERSATION)
    if rendering == "openinference":
        flattened = [
            span.get_attribute(f"llm.input_messages.{index}.message.content")
            for index in range(len(CONVERSATION))
        ]
        checks.equal("every flattened message too", flattened, CONVERSATION)


def read(value):
    return json.loads(value) if isinstance(value, str) else value


def parameters(span):
    return read(span.inputs)


def messages(value):
    """Roles and texts of messages, whose text is one or in parts."""
    value = read(value)
    if value and "parts" in value[0]:
        return receiver.texts_of_messages(value)
    return [(message["role"], message["content"]) for message in value]


def one_text(value):
    """The JSON object that is the text of the only message."""
    ((_, text),) = messages(value)
    return json.loads(text)


def tool_call(span, rendering):
    """The id, the tool and the arguments of the one call that the model asks for."""
    if rendering == "genai":
        (message,) = read(span.outputs)
        (call,) = [part for part in message["parts"] if part["type"] == "tool_call"]
    else:
        (call,) = read(span.outputs)
    return call["id"], call["name"], read(call["arguments"])


def main(sender, directory):
    data = receiver.fresh_directory(os.path.join(directory, "data"))
    port = receiver.free_port()
    address = f"http://127.0.0.1:{port}"
    environment = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    os.environ.update(environment)
    import mlflow

    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--backend-store-uri", "sqlite:///mlflow.db"]
    command += ["--artifacts-destination", "artifacts"]
    checks = receiver.Checks()

    with receiver.running(command, data, environment, f"{address}/health"):
        client = mlflow.MlflowClient(tracking_uri=address)
        experiment = client.create_experiment("agentspan")

        def sent(story, rendering, content, count):
            headers = f"x-mlflow-experiment-id={experiment}"
            trace_id = receiver.send(
                sender, address, story, rendering, content, "http", headers=headers
            )

            def fetch():
                trace = client.get_trace(f"tr-{trace_id}")
                return trace and len(trace.data.spans) >= count and trace

            return receiver.until(fetch)

        others = (
            ("scopes", otlp_others.SCOPES, otlp_others.check_scopes),
            ("framework", otlp_others.FRAMEWORK, otlp_others.check_framework),
        )
        # Masked traces first, so that the server's files can be searched for contents.
        for rendering in ("openinference", "genai"):
            trace = sent("assistant", rendering, "masked", len(TREE))
            check_masked(checks, trace, rendering, data)
        for rendering in ("openinference", "genai"):
            check_clear(checks, sent("assistant", rendering, "clear", len(TREE)), rendering)
            check_conversation(checks, sent("conversation", rendering, "clear", 2), rendering)
            for story, count, check in others:
                check(checks, sent(story, rendering, "clear", count), rendering)
        found = receiver.contents_in_files(data) != []
        checks.equal("the search of the files finds contents that were sent", found, True)
    return checks.conclude()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
