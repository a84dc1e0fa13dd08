"""A receiver of OTLP on the loopback, what is sent to it, and checks of what it shows."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

# A receiver that starts for the first time makes its database and compiles its modules.
START_SECONDS = 300
ARRIVE_SECONDS = 60
STOP_SECONDS = 20

# Words of the contents of the assistant's trace, none of which is in a name or a description.
CONTENTS = ["umbrella", "You are terse", "sunny", "Zürich", "Z\\u00fcrich", "is full", "Say it nicely"]

# Every span of the assistant's trace: its name in a rendering, and the name of its parent.
ROOT = "peers"
AGENT = "invoke_agent weather agent"
FLOW = "invoke_workflow weather flow"
TREE = [
    (ROOT, None),
    (AGENT, ROOT),
    ("chat gpt-4o", AGENT),
    (FLOW, AGENT),
    ("look up", FLOW),
    ("execute_tool forecast", "look up"),
    ("answer", FLOW),
    ("chat gpt-4o", "answer"),
    ("archive", FLOW),
    ("execute_tool store", "archive"),
]
WHOLE = (AGENT, ROOT)
LOOK_UP = ("look up", FLOW)
PLAN = ("chat gpt-4o", AGENT)
FORECAST = ("execute_tool forecast", "look up")
ANSWER = ("chat gpt-4o", "answer")
STORE = ("execute_tool store", "archive")
ANSWERED = "No umbrella: it is sunny in Zürich."
CONVERSATION = [f"message {index} of the conversation" for index in range(200)]


class Checks:
    """Prints each check, and remembers whether one failed."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def equal(self, what, got, wanted):
        if got == wanted:
            self.passed += 1
            print(f"  ok      {what}")
        else:
            self.failed += 1
            print(f"  FAILED  {what}\n    wanted {short(wanted)}\n    got    {short(got)}")

    def conclude(self):
        print(f"{self.passed} checks passed, {self.failed} failed")
        return 1 if self.failed else 0


def short(value):
    text = repr(value)
    return text if len(text) < 1000 else text[:1000] + " ..."


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def fresh_directory(path):
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


@contextmanager
def running(command, directory, environment, address):
    """Runs a server until the block ends, however it ends. It leads the group of its processes."""
    # A signal becomes an exception, so that the server is stopped then too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    log_path = os.path.join(directory, "server.log")
    with open(log_path, "wb") as log:
        server = subprocess.Popen(
            command,
            cwd=directory,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_until_it_answers(server, address, log_path)
            yield server
        finally:
            stop(server)


def wait_until_it_answers(server, address, log_path):
    deadline = time.monotonic() + START_SECONDS
    while True:
        if server.poll() is not None:
            sys.exit(f"the server ended with {server.returncode}; see {log_path}")
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                sys.exit(f"the server does not answer; see {log_path}")
            time.sleep(0.5)


def stop(server):
    """Stops the server and what it has started: they are a process group of their own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, number)
        except ProcessLookupError:
            break
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    server.wait()


def send(sender, endpoint, story, rendering, content, protocol, headers="", resource=""):
    """Sends a trace, and returns its id as 32 hexadecimal digits."""
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_HEADERS": headers,
        "OTEL_RESOURCE_ATTRIBUTES": resource,
        "OTEL_SERVICE_NAME": "agentspan-peers",
    }
    sent = subprocess.run(
        [sender, story, rendering, content, protocol],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if sent.returncode != 0:
        sys.exit(f"the trace {story} ({rendering}, {content}, {protocol}) was not sent")
    return sent.stdout.strip()


def until(fetch):
    """What `fetch` returns, as soon as that is something."""
    deadline = time.monotonic() + ARRIVE_SECONDS
    while True:
        found = fetch()
        if found:
            return found
        if time.monotonic() > deadline:
            sys.exit("the trace does not show up")
        time.sleep(0.3)


def by_place(spans, name_of, id_of, parent_of):
    """The spans by their own name and that of their parent, and the tree that they make."""
    names = {id_of(span): name_of(span) for span in spans}
    places = [(name_of(span), names.get(parent_of(span), parent_of(span))) for span in spans]
    return dict(zip(places, spans)), sorted(places, key=str)


def contents_in(text):
    """Which contents are found in a text."""
    return [word for word in CONTENTS if re.search(re.escape(word), text, re.IGNORECASE)]


def contents_in_files(directory):
    """Which contents are found in any file of a directory, whatever the format."""
    found = set()
    for parent, _, names in os.walk(directory):
        for name in names:
            with open(os.path.join(parent, name), "rb") as file:
                found.update(contents_in(file.read().decode("utf-8", "replace")))
    return sorted(found)


def post_json(address, body):
    request = urllib.request.Request(
        address,
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def texts_of_messages(messages):
    """The texts of messages of the GenAI conventions, and their roles."""
    return [
        (message["role"], "".join(part.get("content", "") for part in message["parts"]))
        for message in messages
    ]
