"""Records the hooks of Agent Spec Tracing as lines of JSON, one call each."""

import json
import threading
from asyncio import CancelledError

from pyagentspec.tracing.spanprocessor import SpanProcessor
from pyagentspec.tracing.trace import Trace, get_trace


class HookLines(SpanProcessor):
    """Writes each call of a hook with its run; `dump` makes plain data of a span or an event."""

    def __init__(self, run, file, dump):
        super().__init__(mask_sensitive_information=False)
        self.run = run
        self.file = file
        self.dump = dump
        self.lock = threading.Lock()

    def write(self, hook, is_async, span=None, event=None):
        trace = get_trace()
        line = {"run": self.run, "hook": hook, "async": is_async}
        line["trace"] = {"id": trace.id, "name": trace.name} if trace else None
        if span is not None:
            parent = span._parent_span
            line["span"] = self.dump(span)
            line["parent_id"] = parent.id if parent else None
        if event is not None:
            line["event"] = self.dump(event)
        text = json.dumps(line, default=str)
        with self.lock:
            self.file.write(text + "\n")
            self.file.flush()

    def on_start(self, span):
        self.write("on_start", False, span)

    def on_end(self, span):
        self.write("on_end", False, span)

    def on_event(self, event, span):
        self.write("on_event", False, span, event)

    def startup(self):
        self.write("startup", False)

    def shutdown(self):
        self.write("shutdown", False)

    async def on_start_async(self, span):
        self.write("on_start", True, span)

    async def on_end_async(self, span):
        self.write("on_end", True, span)

    async def on_event_async(self, event, span):
        self.write("on_event", True, span, event)

    async def startup_async(self):
        self.write("startup", True)

    async def shutdown_async(self):
        self.write("shutdown", True)


def record(scenarios, path, dump, around=None):
    """Runs each scenario in a trace of its own. What it raises belongs to the scenario."""
    with open(path, "w", encoding="utf-8") as file:
        for scenario in scenarios:
            name = scenario.__name__
            lines = HookLines(name, file, dump)
            try:
                with Trace(name=name, span_processors=[lines]):
                    outcome = scenario() if around is None else around(scenario)
                print(f"  {name}: {str(outcome)[:60]!r}")
            except (Exception, CancelledError) as error:  # The failures are what is wanted.
                print(f"  {name}: raised {type(error).__name__}")
