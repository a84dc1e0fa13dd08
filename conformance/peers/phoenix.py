"""Shows traces of Agent Spec, scopes and a framework in Arize Phoenix, for `cargo xtask peers phoenix`.

    phoenix.py SENDER EXAMPLE DIRECTORY

Starts the server on the loopback with its data in DIRECTORY, sends the assistant's trace and the long conversation with
SENDER, in both renderings, and asks the server's GraphQL interface for what its pages show. Then it runs EXAMPLE, the
example `phoenix`, against the same server. With CHROMIUM set to the path of a browser, it saves a picture of the page of
the assistant's trace as `phoenix.png` in DIRECTORY.
"""

import json
import os
import subprocess
import sys

import phoenix_others
import receiver
from phoenix_others import text_of
from receiver import ANSWER, ANSWERED, CONVERSATION, FORECAST, LOOK_UP, PLAN, ROOT, STORE, TREE, WHOLE

QUERY = """
query ($trace: String!) {
  trace: getTraceByOtelId(traceId: $trace) {
    projectId
    spans(first: 100) {
      edges {
        node {
          id
          name
          spanKind
          statusCode
          statusMessage
          parentId
          spanId
          attributes
          tokenCountPrompt
          tokenCountCompletion
          tokenCountTotal
          cumulativeTokenCountTotal
          input { value }
          output { value }
          events { name message }
        }
      }
    }
  }
}
"""

KINDS = {
    "openinference": {
        "AGENT": "agent",
        "LLM": "llm",
        "TOOL": "tool",
        "CHAIN": "chain",
    },
    # Phoenix knows no kind for workflows and nodes of the GenAI conventions.
    "genai": {
        "AGENT": "agent",
        "LLM": "llm",
        "TOOL": "tool",
        "CHAIN": "unknown",
    },
}
KIND_OF_PREFIX = {"invoke_agent": "AGENT", "chat": "LLM", "execute_tool": "TOOL"}


class Phoenix:
    """The server as its users see it."""

    def __init__(self, port):
        self.address = f"http://127.0.0.1:{port}"

    def trace(self, trace_id, count):
        """The spans of a trace, once all of them are there."""

        def fetch():
            body = {"query": QUERY, "variables": {"trace": trace_id}}
            answer = receiver.post_json(f"{self.address}/graphql", body)
            if answer.get("errors"):
                sys.exit(f"the query fails: {answer['errors']}")
            trace = answer["data"]["trace"]
            spans = [edge["node"] for edge in trace["spans"]["edges"]] if trace else []
            return len(spans) >= count and (trace, spans)

        trace, spans = receiver.until(fetch)
        for span in spans:
            span["attributes"] = json.loads(span["attributes"])
        return trace, spans


def places(spans):
    return receiver.by_place(
        spans, lambda s: s["name"], lambda s: s["spanId"], lambda s: s["parentId"]
    )


def value(span, side):
    return (span[side] or {}).get("value")


def check_structure(checks, spans, rendering, root_kind=None):
    """What is shown whether or not contents are."""
    by_place, tree = places(spans)
    checks.equal("the tree: each span once, under its parent", tree, sorted(TREE, key=str))
    wanted = {
        place: KINDS[rendering][KIND_OF_PREFIX.get(place[0].split(" ")[0], "CHAIN")]
        for place in TREE
    }
    wanted[(ROOT, None)] = root_kind or wanted[(ROOT, None)]
    got = {place: span["spanKind"] for place, span in by_place.items()}
    checks.equal("span kinds", got, wanted)
    for place, (prompt, completion) in {PLAN: (40, 12), ANSWER: (25, 9)}.items():
        span = by_place[place]
        checks.equal(
            f"model name of {place}", span["attributes"]["llm"].get("model_name"), "gpt-4o"
        )
        counts = [span[f"tokenCount{which}"] for which in ("Prompt", "Completion", "Total")]
        checks.equal(
            f"token counts of {place}", counts, [prompt, completion, prompt + completion]
        )
    checks.equal("tokens of the whole trace", by_place[(ROOT, None)]["cumulativeTokenCountTotal"], 86)
    failed = sorted(place for place, span in by_place.items() if span["statusCode"] == "ERROR")
    checks.equal("exactly the failed span is an error", failed, [STORE])
    return by_place


def check_masked(checks, spans, rendering, directory):
    print(f"the assistant's trace, {rendering}, masked by default, over HTTP")
    by_place = check_structure(checks, spans, rendering)
    checks.equal("error status without the message", by_place[STORE]["statusMessage"], "ArchiveError")
    checks.equal("no content in what is shown", receiver.contents_in(json.dumps(spans)), [])
    checks.equal("no content in any file of the server", receiver.contents_in_files(directory), [])


def check_clear(checks, spans, rendering, protocol):
    print(f"the assistant's trace, {rendering}, with contents, over {protocol}")
    # Of the GenAI conventions, Phoenix takes whatever has messages and no operation for a model, and the root
    # has the first and the last message of the trace.
    root_kind = "llm" if rendering == "genai" else None
    by_place = check_structure(checks, spans, rendering, root_kind)
    store = by_place[STORE]
    checks.equal("error status", store["statusMessage"], "the archive of Zürich is full")
    checks.equal(
        "exception event",
        [event["message"] for event in store["events"] if event["name"] == "exception"],
        ["the archive of Zürich is full"],
    )
    plan = by_place[PLAN]["attributes"]["llm"]
    messages = [
        (message["message"]["role"], text_of(message["message"]))
        for message in plan["input_messages"]
    ]
    checks.equal(
        "input messages", messages, [("system", "You are terse."), ("user", "Umbrella in Zürich?")]
    )
    calls = plan["output_messages"][0]["message"]["tool_calls"]
    call = calls[0]["tool_call"]
    checks.equal("the id of the tool call", call.get("id"), "call-1")
    checks.equal("the tool that is called", call["function"]["name"], "forecast")
    checks.equal(
        "the arguments of the call", json.loads(call["function"]["arguments"]), {"city": "Zürich"}
    )
    schema = plan["tools"][0]["tool"]["json_schema"]
    schema = json.loads(schema) if isinstance(schema, str) else schema
    checks.equal("the schema of the tool", "forecast" in json.dumps(schema), True)
    answer = by_place[ANSWER]["attributes"]["llm"]["output_messages"]
    checks.equal("the streamed answer, whole", text_of(answer[0]["message"]), ANSWERED)
    tool = by_place[FORECAST]
    checks.equal("the name of the tool", tool["attributes"]["tool"].get("name"), "forecast")
    parameters = tool["attributes"]["tool"]["parameters"]
    parameters = json.loads(parameters) if isinstance(parameters, str) else parameters
    checks.equal("the parameters of the tool", parameters, {"city": "Zürich"})
    checks.equal("output of the tool", json.loads(value(tool, "output")), {"weather": "sunny"})
    if rendering == "openinference":
        # The GenAI conventions have no such fields, and Phoenix makes none of them.
        check_values(checks, by_place)


def check_values(checks, by_place):
    agent = by_place[WHOLE]
    checks.equal("input of the agent", json.loads(value(agent, "input")), {"city": "Zürich"})
    checks.equal("output of the agent", json.loads(value(agent, "output")), {"answer": ANSWERED})
    look_up = by_place[LOOK_UP]
    checks.equal("input of a node", json.loads(value(look_up, "input")), {"city": "Zürich"})
    checks.equal("output of a node", json.loads(value(look_up, "output")), {"weather": "sunny"})
    checks.equal("output of the model", value(by_place[ANSWER], "output"), ANSWERED)
    graph = {
        span["attributes"]["graph"]["node"].get("name")
        for span in by_place.values()
        if "graph" in span["attributes"]
    }
    checks.equal("the graph has the nodes of the flow", {"look up", "answer", "archive"} <= graph, True)


def check_conversation(checks, spans, rendering):
    print(f"a conversation of 200 messages, {rendering}")
    by_place, _ = places(spans)
    span = by_place[("chat gpt-4o", ROOT)]
    messages = span["attributes"]["llm"]["input_messages"]
    texts = [text_of(message["message"]) for message in messages]
    checks.equal("every message arrived, in order", texts, CONVERSATION)


def picture(phoenix, trace_id, trace, spans, directory):
    """Saves a picture of the trace's page, if there is a browser."""
    browser = os.environ.get("CHROMIUM")
    if not browser:
        return
    page = f"{phoenix.address}/projects/{trace['projectId']}/traces/{trace_id}"
    by_place, _ = places(spans)
    page += f"?selectedSpanNodeId={by_place[PLAN]['id']}"
    path = os.path.join(directory, "phoenix.png")
    subprocess.run(
        [
            browser,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--window-size=1600,1000",
            "--virtual-time-budget=20000",
            f"--user-data-dir={os.path.join(directory, 'browser')}",
            f"--screenshot={path}",
            page,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
    print(f"the page {page}: {path if os.path.isfile(path) else 'no picture'}")


def check_example(checks, phoenix, example):
    print("the example `phoenix`")
    ran = subprocess.run(
        [example, phoenix.grpc_address],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    checks.equal("it ends well", ran.returncode, 0)
    # "sent trace ID to ..."
    trace_id = ran.stdout.split()[2] if ran.returncode == 0 else None
    if trace_id:
        _, spans = phoenix.trace(trace_id, 4)
        _, tree = places(spans)
        agent = "invoke_agent weather agent"
        wanted = [
            ("weather", None),
            ("chat gpt-4o", agent),
            ("execute_tool forecast", agent),
            (agent, "weather"),
        ]
        checks.equal("its tree", tree, sorted(wanted, key=str))
        shown = receiver.contents_in(json.dumps(spans, ensure_ascii=False))
        checks.equal("its contents", shown, ["sunny", "Zürich", "Say it nicely"])


def main(sender, example, directory):
    data = receiver.fresh_directory(os.path.join(directory, "data"))
    port, grpc_port = receiver.free_port(), receiver.free_port()
    phoenix = Phoenix(port)
    phoenix.grpc_address = f"http://127.0.0.1:{grpc_port}"
    environment = {
        "PHOENIX_WORKING_DIR": data,
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(grpc_port),
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
        "PHOENIX_DISABLE_AGENT_ASSISTANT": "true",
    }
    command = [sys.executable, "-m", "phoenix.server.main", "serve"]
    checks = receiver.Checks()

    def sent(story, rendering, content, protocol, count):
        endpoint = phoenix.address if protocol == "http" else phoenix.grpc_address
        project = f"openinference.project.name={story}-{rendering}-{content}"
        trace_id = receiver.send(
            sender, endpoint, story, rendering, content, protocol, resource=project
        )
        return trace_id, *phoenix.trace(trace_id, count)

    with receiver.running(command, data, environment, f"{phoenix.address}/healthz"):
        # Masked traces first, so that the server's files can be searched for contents.
        for rendering in ("openinference", "genai"):
            _, _, spans = sent("assistant", rendering, "masked", "http", len(TREE))
            check_masked(checks, spans, rendering, data)
        for rendering in ("openinference", "genai"):
            for protocol in ("http", "grpc"):
                shown = sent("assistant", rendering, "clear", protocol, len(TREE))
                check_clear(checks, shown[2], rendering, protocol)
                if (rendering, protocol) == ("openinference", "http"):
                    pictured = shown
            _, _, spans = sent("conversation", rendering, "clear", "http", 2)
            check_conversation(checks, spans, rendering)
            _, _, spans = sent("scopes", rendering, "clear", "http", phoenix_others.SCOPES)
            phoenix_others.check_scopes(checks, spans, rendering)
            _, _, spans = sent("framework", rendering, "clear", "grpc", phoenix_others.FRAMEWORK)
            phoenix_others.check_framework(checks, spans, rendering)
        check_example(checks, phoenix, example)
        picture(phoenix, *pictured, directory)
        found = receiver.contents_in_files(data) != []
        checks.equal("the search of the files finds contents that were sent", found, True)
    return checks.conclude()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
