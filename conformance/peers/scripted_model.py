"""A model that answers from a script: an OpenAI-compatible server on the loopback.

Each request takes the next step of the script that its `model` names. A step is a text, a list of tool calls
`(name, arguments)`, or an HTTP status to fail with. A script that is used up repeats its last step.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ScriptedModel:
    def __init__(self):
        self.scripts = {}
        self.lock = threading.Lock()
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                step = model.next_step(body["model"])
                if isinstance(step, int):
                    self.answer(step, {"error": {"message": "scripted failure", "type": "scripted"}})
                elif body.get("stream"):
                    self.stream(body, step)
                else:
                    self.answer(200, completion(body, step))

            def answer(self, status, value):
                data = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def stream(self, body, step):
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("connection", "close")
                self.end_headers()
                for chunk in chunks(body, step):
                    self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
                self.wfile.write(b"data: [DONE]\n\n")
                self.close_connection = True

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def script(self, name, *steps):
        """Sets the steps of a model, and gives its name."""
        with self.lock:
            self.scripts[name] = list(steps)
        return name

    def next_step(self, name):
        with self.lock:
            steps = self.scripts[name]
            return steps.pop(0) if len(steps) > 1 else steps[0]


def tool_calls(step):
    return [
        {
            "id": f"call-{index}-{name}",
            "index": index,
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        for index, (name, arguments) in enumerate(step)
    ]


def envelope(body, kind):
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": body["model"]}


def completion(body, step):
    message = {"role": "assistant", "content": step if isinstance(step, str) else None}
    if not isinstance(step, str):
        message["tool_calls"] = tool_calls(step)
    reason = "stop" if isinstance(step, str) else "tool_calls"
    choice = {"index": 0, "message": message, "finish_reason": reason}
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    return envelope(body, "chat.completion") | {"choices": [choice], "usage": usage}


def chunks(body, step):
    base = envelope(body, "chat.completion.chunk")
    parts = [{"role": "assistant", "content": ""}]
    if isinstance(step, str):
        parts += [{"content": word + " "} for word in step.split(" ")]
    else:
        parts.append({"tool_calls": tool_calls(step)})
    for part in parts:
        yield base | {"choices": [{"index": 0, "delta": part, "finish_reason": None}]}
    reason = "stop" if isinstance(step, str) else "tool_calls"
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    yield base | {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}], "usage": usage}
