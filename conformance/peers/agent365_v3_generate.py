"""Inputs of `scopes_v3`, `baggage_v3`, `hosting_v3` and `size_v3` from a seed, for `agent365_v3_vectors.py`.

They vary what the recorded vectors hold still, and stay within what a program in Rust can write: no value is of a type that
an argument does not have.
"""

import random

TEXTS = [
    "plain", "two\nlines\r\nand\ttabs", "quotes \" ' ` and \\ backslashes \\\\", "naïve café, 日本語, العربية", "🦀👩‍👩‍👧‍👦",
    "\u2028\u2029\u0085\ufeff\u200b", "\u0000\u0001\b\f\u001f\u007f\u009f", "</script> %s {x}", '{"json": [1, 2.5, null]}', " padded ", "",
    "true", "-0.0", "\ud7ff\ue000\ufffd\U0010ffff", "x" * 300,
]
IDS = ["agent-1", "a0000000-0000-0000-0000-00000000000a", "Agent.With_Some~Signs", "ägent-日本"]
TENANTS = ["tenant-1", "e3064512-cc6d-4703-be71-a2ecaecaa98a"]
NUMBERS = [0.0, -0.0, 0.1, 1.5, 1e16, 1e21, 1e-5, 1e-7, 123456789.125, 1.7976931348623157e308]
WHOLE = [0, 1, -1, 443, 2**31, 2**53 + 1, 2**63 - 1]
DATES = ["2025-06-01", "2024-02-29"]
TIMES = ["2025-06-01T12:00:00+00:00", "2025-06-01T12:00:01.500000+02:00", "2025-01-31T23:59:59-05:00"]
DAYS = ["Mon", "Tue", "Sun"]
MONTHS = ["Jan", "Feb", "Oct", "Nov", "Okt"]


class Inputs:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, percent):
        return self.random.random() * 100 < percent

    def text(self):
        return self.random.choice(TEXTS)

    def some(self, percent, **members):
        """An object with so many of a hundred of these members, each of which is made if it is there."""
        return {name: make() for name, make in members.items() if self.chance(percent)}

    def list_of(self, make, most=3):
        return [make() for _ in range(self.random.randint(0, most))]

    def whole(self):
        return self.random.choice(WHOLE)

    def number(self):
        return self.random.choice(NUMBERS)

    def typed(self):
        """A value of an attribute."""
        return self.random.choice([
            lambda: {"string": self.text()},
            lambda: {"bool": self.chance(50)},
            lambda: {"int": self.whole()},
            lambda: {"double": self.number()},
            lambda: {"string_array": [self.text() for _ in range(self.random.randint(1, 3))]},
            lambda: {"int_array": [self.whole() for _ in range(self.random.randint(1, 3))]},
            lambda: {"double_array": [self.number() for _ in range(self.random.randint(1, 3))]},
            lambda: {"bool_array": [self.chance(50) for _ in range(self.random.randint(1, 3))]},
        ])()

    # Scopes.

    def scopes(self):
        count = self.random.choice([1, 1, 1, 2, 3])
        chain = [self.scope() for _ in range(count)]
        env = self.random.choice([{"ENABLE_OBSERVABILITY": "true"}] * 9 + [{"ENABLE_A365_OBSERVABILITY": "on"}])
        return {"env": env, "scopes": chain, **self.some(10, enabled_by_distro=lambda: True)}

    def scope(self):
        kind = self.random.choice(["invoke_agent", "execute_tool", "inference", "output", "apply_guardrail"])
        args = getattr(self, kind)()
        actions = [action for _ in range(self.random.randint(0, 4)) for action in self.action(kind)]
        return {
            "scope": kind,
            "args": args,
            **({"actions": actions} if actions else {}),
            **self.some(10, close=lambda: self.random.choice(["dispose", "dispose_twice"])),
            **self.some(10, inject_headers=lambda: True),
        }

    def agent(self):
        names = ("agent_name", "agent_description", "agentic_user_id", "agentic_user_email", "agent_blueprint_id",
                 "agent_platform_id", "icon_uri", "provider_name", "agent_version")
        return {
            "agent_id": self.random.choice(IDS),
            **self.some(40, **dict.fromkeys(names, self.text)),
            **self.some(50, tenant_id=lambda: self.random.choice(TENANTS)),
        }

    def user(self):
        return {
            **self.some(60, user_id=self.text, user_email=self.text, user_name=self.text),
            **self.some(40, user_client_ip=lambda: self.random.choice(["10.0.0.1", "2001:db8::1", "::ffff:1.2.3.4", "no address", ""])),
        }

    def request(self):
        channel = lambda: self.some(60, name=self.text, link=self.text)
        return self.some(50, content=self.input_messages, session_id=self.text, conversation_id=self.text, channel=channel)

    def endpoint(self):
        return {"hostname": self.random.choice(["agents.example.com", "h", ""]), **self.some(70, port=lambda: self.random.choice([443, 80, 8443, 65535]))}

    def span_details(self, kinds=True):
        return {
            **(self.some(20, span_kind=lambda: self.random.choice(["INTERNAL", "CLIENT", "SERVER", "PRODUCER", "CONSUMER"])) if kinds else {}),
            **self.some(20, start_time=lambda: self.random.choice(TIMES), end_time=lambda: self.random.choice(TIMES)),
            **self.some(20, parent_headers=lambda: {"traceparent": f"00-{self.random.getrandbits(127) | 1:032x}-{self.random.getrandbits(63) | 1:016x}-01"}),
            **self.some(20, span_links=lambda: self.list_of(self.link, 2)),
        }

    def link(self):
        attributes = [[f"link.{index}", self.typed()] for index in range(self.random.randint(0, 2))]
        return {"trace_id": f"{self.random.getrandbits(127) | 1:032x}", "span_id": f"{self.random.getrandbits(63) | 1:016x}", "attributes": attributes}

    def common(self, kinds=True, **more):
        return {"request": self.request(), "agent_details": self.agent(), **more,
                "user_details": self.user() if self.chance(40) else None,
                "span_details": self.span_details(kinds) if self.chance(40) else None}

    def invoke_agent(self):
        caller = lambda: self.some(60, user_details=self.user, caller_agent_details=self.agent)
        return {
            "request": self.request(), "agent_details": self.agent(),
            "endpoint": self.endpoint() if self.chance(40) else None,
            "caller_details": caller() if self.chance(40) else None,
            "span_details": self.span_details() if self.chance(40) else None,
            **self.some(50, request_parameters=self.request_parameters, response_parameters=self.response_parameters),
        }

    def request_parameters(self):
        texts = lambda: self.list_of(self.text)
        return self.some(50, model=self.text, seed=self.whole, choice_count=self.whole, frequency_penalty=self.number, max_tokens=self.whole,
                         presence_penalty=self.number, stop_sequences=texts, temperature=self.number, top_p=self.number,
                         data_source_id=self.text, output_type=self.text, system_instructions=texts)

    def response_parameters(self):
        return self.some(50, finish_reasons=lambda: self.list_of(self.text), input_tokens=self.whole, output_tokens=self.whole,
                         cache_write_input_tokens=self.whole, cache_read_input_tokens=self.whole)

    def execute_tool(self):
        details = {"tool_name": self.text(), **self.some(40, tool_call_id=self.text, description=self.text, tool_type=self.text, endpoint=self.endpoint),
                   **self.some(70, arguments=self.tool_arguments)}
        return self.common(details=details)

    def tool_arguments(self):
        return self.random.choice([self.text, self.json_object, self.json_object, self.arguments_model, self.arguments_model])()

    def tool_result(self):
        return self.random.choice([self.text, self.json_object, self.result_model, self.result_model])()

    def json_value(self, depth):
        made = [self.text, self.whole, self.number, lambda: None, lambda: self.chance(50)]
        if depth > 0:
            made += [lambda: [self.json_value(depth - 1) for _ in range(self.random.randint(0, 3))], lambda: self.json_object(depth - 1)]
        return self.random.choice(made)()

    def json_object(self, depth=2):
        return {f"{self.text()[:20]}{index}": self.json_value(depth) for index in range(self.random.randint(0, 4))}

    def model(self, kind, **fields):
        return {"$model": {"type": kind, "fields": self.some(60, **fields)}}

    def free(self):
        """Values in the schema, of which some are none of JSON."""
        value = {"$date": self.random.choice(DATES)}, {"$datetime": TIMES[0]}, {"$uuid": "12345678-1234-5678-1234-567812345678"}, {"$set_of_one": "x"}
        return {**self.json_object(1), **self.some(30, special=lambda: self.random.choice(value))}

    def arguments_model(self):
        action = lambda: self.random.choice([{"$enum": "ToolCallAction.READ"}, {"$enum": "ToolCallAction.DELETE"}, "create", "update"])
        return self.model("ExecuteToolCallArguments", action=action, resources=lambda: self.list_of(self.resource), parameters=self.free, extension_data=self.free)

    def identifier(self):
        return self.model("ToolCallIdentifier", identifier_type=self.text, value=self.text, extension_data=self.free)

    def container(self):
        return self.model("ToolCallContainer", container_id=self.text, uri=self.text, container_type=self.text, extension_data=self.free)

    def of_resource(self):
        return {"resource_id": self.text, "uri": self.text, "name": self.text, "resource_type": self.text, "provider": self.text,
                "identifiers": lambda: self.list_of(self.identifier, 2), "container": self.container, "extension_data": self.free}

    def resource(self):
        return self.model("ToolCallResource", **self.of_resource())

    def result_resource(self):
        decision = lambda: self.random.choice([{"$enum": "ToolPolicyDecision.ALLOW"}, "deny"])
        return self.model(
            "ToolCallResultResource", **self.of_resource(), outcome=self.outcome, data=self.free,
            sensitivity=lambda: self.model("ToolCallResultSensitivity", label_id=self.text, extension_data=self.free),
            policy=lambda: self.model("ToolCallResultPolicy", decision=decision, policy_id=self.text, name=self.text, extension_data=self.free),
            security=lambda: self.model("ToolCallResultSecurity", xpia_detected=lambda: self.chance(50), extension_data=self.free))

    def outcome(self):
        status = lambda: self.random.choice([{"$enum": "ToolCallOutcomeStatus.SUCCESS"}, "failure"])
        return self.model("ToolCallResultOutcome", status=status, code=self.text, provider_code=self.text, message=self.text, extension_data=self.free)

    def result_model(self):
        pagination = lambda: self.model("ToolCallResultPagination", has_more=lambda: self.chance(50), next_cursor=self.text, total_count=lambda: self.random.randint(0, 9), extension_data=self.free)
        return self.model("ExecuteToolCallResult", outcome=self.outcome, resources=lambda: self.list_of(self.result_resource, 2), data=self.free, pagination=pagination, extension_data=self.free)

    def inference(self):
        details = {
            "operationName": self.random.choice(["CHAT", "TEXT_COMPLETION", "GENERATE_CONTENT"]),
            "model": self.random.choice(["gpt-4o", " m 1 ", "日本"]), "providerName": self.text(),
            **self.some(40, inputTokens=self.whole, outputTokens=self.whole, cacheReadInputTokens=self.whole, cacheWriteInputTokens=self.whole,
                        finishReasons=lambda: self.list_of(self.text), thoughtProcess=self.text, endpoint=self.endpoint, responseModel=self.text),
        }
        return self.common(kinds=False, details=details)

    def output(self):
        return self.common(kinds=False, response=self.random.choice([self.output_messages, lambda: {"dict": self.json_object()}])())

    def apply_guardrail(self):
        names = ("guardian_name", "guardian_id", "guardian_provider_name", "guardian_version", "target_id", "decision_reason", "decision_code",
                 "policy_id", "policy_name", "policy_version", "content_input_hash", "external_event_id")
        details = {
            "target_type": self.random.choice(["llm_input", "llm_output", "tool_call", "message", "something"]),
            "decision_type": self.random.choice(["allow", "deny", "modify", "warn", "audit", "Own"]),
            **self.some(30, **dict.fromkeys(names, self.text), content_modified=lambda: self.chance(50)),
        }
        return self.common(details=details)

    def input_messages(self):
        return self.random.choice([self.text, lambda: self.list_of(self.text), lambda: self.messages(False)])()

    def output_messages(self):
        return self.random.choice([self.text, lambda: self.list_of(self.text), lambda: self.messages(True)])()

    def messages(self, is_output):
        def message():
            reason = lambda: self.random.choice(["stop", "length", "tool_call", "own"])
            return {"role": self.random.choice(["system", "user", "assistant", "tool"]), "parts": self.list_of(self.part),
                    **self.some(30, name=self.text), **(self.some(50, finish_reason=reason) if is_output else {})}

        return {"messages": self.list_of(message)}

    def part(self):
        modality = lambda: self.random.choice([{"enum": "IMAGE"}, {"enum": "AUDIO"}, "video", "own"])
        mime = lambda: self.random.choice(["image/png", "text/plain"])
        return self.random.choice([
            lambda: {"part": "text", "content": self.text()},
            lambda: {"part": "reasoning", "content": self.text()},
            lambda: {"part": "tool_call", "name": self.text(), **self.some(50, id=self.text, arguments=self.json_object)},
            lambda: {"part": "tool_call_response", **self.some(50, id=self.text, response=self.json_object)},
            lambda: {"part": "blob", "modality": modality(), "content": "QUJD", **self.some(50, mime_type=mime)},
            lambda: {"part": "file", "modality": modality(), "file_id": self.text(), **self.some(50, mime_type=mime)},
            lambda: {"part": "uri", "modality": modality(), "uri": self.text(), **self.some(50, mime_type=mime)},
        ])()

    def action(self, kind):
        """An action that a scope of this kind knows."""
        free = lambda: [[self.random.choice(["app.team", "app.a", "gen_ai.agent.id", "k ü", "user.id"]), self.typed()] for _ in range(self.random.randint(0, 3))]
        error = lambda: {"type": self.random.choice(["ValueError", "RuntimeError", "KeyError"]), "message": self.random.choice(["plain", "two\nlines"])}
        known = [
            ("record_attributes", lambda: [free()]), ("record_error", lambda: [error()]), ("record_cancellation", lambda: []),
            ("set_end_time", lambda: [TIMES[0]]), ("set_attribute", lambda: [self.random.choice(["own.a", "own.b"]), self.typed()]),
        ]
        messages = [("record_input_messages", lambda: [self.input_messages()]), ("record_output_messages", lambda: [self.output_messages()])]
        tokens = ("record_input_tokens", "record_output_tokens", "record_cache_read_input_tokens", "record_cache_write_input_tokens")
        finding = lambda: {"risk_category": self.text(), "risk_severity": self.text(),
                           **self.some(50, policy_decision_type=self.text, policy_id=self.text, policy_name=self.text, policy_version=self.text,
                                       risk_score=self.number, risk_metadata=lambda: self.list_of(self.text))}
        of_kind = {
            "invoke_agent": [*messages, ("record_response", lambda: [self.text()]), ("record_response_parameters", lambda: [self.response_parameters()])],
            "execute_tool": [("record_response", lambda: [self.tool_result()])],
            "inference": [*messages, *((name, lambda: [self.whole()]) for name in tokens), ("record_response_model", lambda: [self.text()]),
                          ("record_finish_reasons", lambda: [self.list_of(self.text)]), ("record_thought_process", lambda: [self.text()])],
            "output": [("record_output_messages", lambda: [self.output_messages()])],
            "apply_guardrail": [("record_content_input", lambda: [self.input_messages()]), ("record_content_output", lambda: [self.text()]),
                                ("record_decision", lambda: ["deny", self.text()]), ("record_finding", lambda: [finding()])],
        }
        op, arguments = self.random.choice(known + 2 * of_kind[kind])
        action = {"op": op, "args": arguments()}
        if op == "record_attributes" and self.chance(50):
            action["as"] = "dict"
        return [action]

    # Baggage.

    def baggage(self):
        tenant, agent = self.random.choice(TENANTS), self.random.choice(IDS)
        layers = [self.layer(tenant, agent) for _ in range(self.random.choice([1, 1, 2, 3]))]
        return {"layers": layers, "spans": [self.baggage_span() for _ in range(self.random.randint(1, 4))]}

    def layer(self, tenant, agent):
        if self.chance(10):
            key = lambda index: self.random.choice([f"raw.{index}", f"raw.{index}", f"kéy.{index}", "gen_ai.operation.name"])
            return {"raw": [[key(index), {"string": self.random.choice([self.text(), "chat"])}] for index in range(self.random.randint(1, 3))]}
        setters = ("operation_source", "agentic_user_id", "agentic_user_email", "agent_blueprint_id", "user_id", "agent_name", "agent_description",
                   "agent_version", "user_name", "user_email", "conversation_id", "conversation_item_link", "session_id", "session_description",
                   "channel_name", "channel_links")
        value = lambda: self.random.choice([self.text, self.text, lambda: None])()
        calls = [{"op": "tenant_id", "args": [tenant]}, {"op": "agent_id", "args": [agent]}] if self.chance(70) else []
        for _ in range(self.random.randint(0, 6)):
            calls.append(self.random.choice([
                lambda: {"op": self.random.choice(setters), "args": [value()]},
                lambda: {"op": self.random.choice(setters), "args": [value()]},
                lambda: {"op": "user_client_ip", "args": [self.random.choice(["10.0.0.1", "::1", "none", "", None])]},
                lambda: {"op": "invoke_agent_server", "args": [self.random.choice(["srv.example.com", "", None]), self.random.choice([None, 443, 8443])]},
                lambda: {"op": "set_pairs", "args": [self.random.choice(["dict", "list"]), self.pairs()]},
                lambda: {"op": "set_pairs", "args": ["dict", [["gen_ai.operation.name", {"string": self.operation()}]]]},
                lambda: {"op": "custom_attribute", "args": [self.custom_key(), value()]},
                lambda: {"op": "custom_attributes", "args": [self.random.choice(["dict", "list"]), [[self.custom_key(), {"string": self.text()}] for _ in range(self.random.randint(0, 3))]]},
            ])())
        self.random.shuffle(calls)
        return {"calls": calls}

    def pairs(self):
        keys = ("microsoft.a365.caller.agent.id", "microsoft.a365.caller.agent.name", "app.free", "user.id", "gen_ai.agent.name", "server.port")
        return [[self.random.choice(keys), self.random.choice([{"string": self.text()}, {"int": 7}, {"bool": True}, {"null": True}])] for _ in range(self.random.randint(0, 4))]

    def operation(self):
        return self.random.choice(["chat", "invoke_agent", "execute_tool", "Chat", "embeddings", "CHAT", ""])

    def custom_key(self):
        return self.random.choice(["app.team", "app.env", " padded.key ", "user.id", "microsoft.a365.caller.agent.id"] * 4 + ["a,b", " ", "_internal.custom_keys"])

    def baggage_span(self):
        if self.chance(15):
            kind = self.random.choice(["invoke_agent", "execute_tool", "inference", "output", "guardrail"])
            return {"scope": kind, "agent_details": {"agent_id": self.random.choice(IDS), **self.some(30, agent_name=self.text)},
                    **({"tool_name": "t"} if kind == "execute_tool" else {}), **({"operation": "CHAT"} if kind == "inference" else {})}
        names = ["GET /", "invoke_agent", "invoke_agent Bob", "invoke_agent_x", "execute_tool x", "chat m", "Chat m", "chatty", "output_messages",
                 "text_completion", "TextCompletion m", "generate_content", "chat.completions", "chat.completions x", "text_completions", "embeddings m", ""]
        tracers = ["Agent365Sdk", "Agent365Sdk.sub", "Agent365SdkX", "agent_framework", "semantic_kernel.x", "rig", "opentelemetry.instrumentation.openai_v2"]
        keys = ["user.id", "gen_ai.agent.name", "app.team", "own"]
        operation = lambda: [["gen_ai.operation.name", self.random.choice([{"string": name} for name in ("chat", "invoke_agent", "Chat", "embeddings", "chain", "GenerateContent")] + [{"int": 1}])]]
        attributes = [[key, {"string": self.text()}] for key in keys if self.chance(20)] + (operation() if self.chance(30) else [])
        return {"name": self.random.choice(names), **({"attributes": attributes} if attributes else {}),
                **self.some(25, tracer=lambda: self.random.choice(tracers)), **self.some(10, rename=lambda: self.random.choice(names)),
                **self.some(20, kind=lambda: self.random.choice(["SERVER", "CLIENT"]))}

    # Hosting.

    def hosting(self):
        function = self.random.choice(["populate_baggage", "populate_invoke_agent_scope", "baggage_middleware", "output_logging", "output_logging", "token_cache"])
        if function == "token_cache":
            return {"function": function, "steps": self.token_steps()}
        given = {"function": function, "activity": self.activity()}
        if function == "populate_invoke_agent_scope":
            given["agent_details"] = {"agent_id": self.random.choice(IDS), **self.some(30, agent_name=self.text)}
        if function == "output_logging":
            message = lambda: {"type": "message", **self.some(80, text=self.said)}
            given["outgoing"] = self.list_of(lambda: self.random.choice([message, message, lambda: {"type": "typing"}])())
            parent = {"A365ParentTraceparent": self.random.choice(["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "garbage", ""])}
            given.update(self.some(30, turn_state=lambda: parent, turn_state_during=lambda: parent))
            given.update(self.some(20, send_raises=lambda: {"type": "ValueError", "message": "down"}))
        return given

    def said(self):
        return self.random.choice([text for text in TEXTS if text.strip()])

    def activity(self):
        kind = self.random.choice(["message", "message", "message", "event"])
        account = lambda: {"id": self.said()[:40], **self.some(70, name=self.said, aadObjectId=self.said, agenticUserId=self.said, agenticAppId=lambda: self.random.choice(IDS),
                                                                tenantId=lambda: self.random.choice(TENANTS), role=lambda: self.random.choice(["user", "agenticUser", "agenticAppInstance", "bot"]))}
        data = [{"productContext": "COPILOT"}, {"productContext": ""}, '{"productContext": "a b"}', '{"productContext": 1', {"tenant": {"id": "t"}}, "null", ["productContext"]]
        return {
            "type": kind, **({"name": "ContinueConversation"} if kind == "event" and self.chance(60) else {}),
            **self.some(80, text=self.said, channelId=lambda: self.random.choice(["msteams", "agents", "agents:email", "webchat"]),
                        serviceUrl=lambda: "https://smba.example/teams/", conversation=lambda: {"id": self.said()}, recipient=account, **{"from": account}),
            **self.some(30, channelData=lambda: self.random.choice(data)),
        }

    def token_steps(self):
        agents, steps = ["a", "b"], []
        for agent in agents:
            generator = {**self.random.choice([{"token": "tok"}, {"token": None}, {"raises": {"type": "ValueError", "message": "no"}}]), **self.some(40, handler=lambda: "own")}
            if self.chance(80):
                steps.append({"op": "register", "agent_id": agent, "tenant_id": "t", "scopes": self.list_of(lambda: "s"), "generator": generator})
        gets = [{"op": "get", "agent_id": agent, "tenant_id": tenant} for agent in agents for tenant in ("t", "u")]
        return steps + [self.random.choice(gets) for _ in range(self.random.randint(1, 4))]

    # Sizes.

    def size(self):
        """An input of one of the pure functions of the exporter."""
        function = self.random.choice(list(SIZES))
        return {"function": function, **SIZES[function](self)}

    def sized_span(self):
        """A span, now and then with a value that is long enough to be cut."""
        span = {
            "traceId": "abcdef00000000000000000000000001", "spanId": "0000000000000001", "parentSpanId": None, "name": self.text() or "span",
            "kind": "INTERNAL", "startTimeUnixNano": 1765000000123456789, "endTimeUnixNano": 1765000000123956790,
            "attributes": self.attributes(), "events": None, "links": None, "status": {"code": "UNSET", "message": ""},
        }
        for key in ("long", "longer"):
            if self.chance(60):
                unit = self.random.choice(["x", '"', "é", "🦀", "\u0001"])
                span["attributes"].append([key, {"string_repeat": {"unit": unit, "count": self.random.randint(1, 200_000)}}])
        return span

    def event_of_span(self):
        return {"timeUnixNano": 1765000000123456789, "name": self.text() or "event", "attributes": self.attributes()}

    def attributes(self):
        return [[f"key{number}", self.typed()] for number in range(self.random.randint(1, 4))]

    def retry_after(self):
        random = self.random
        number = lambda: random.choice(["5", "1.5", " 7 ", "1e3", "-3", "+4", "1_0", ".5", "0", "nan", "-inf", "", "soon", "1e400"])
        day = lambda: f"{random.choice(DAYS)}, {random.randint(0, 32):02} {random.choice(MONTHS)} {random.choice([2024, 2025, 2026])}"
        time = lambda: f"{random.randint(0, 24):02}:{random.randint(0, 59):02}:{random.randint(0, 60):02}"
        date = lambda: f"{day()} {time()} {random.choice(['GMT', 'UTC', '+0200', '-0530', 'EST', ''])}"
        value = number() if self.chance(40) else date()
        return {"headers": [["Retry-After", value]], "now": "2025-10-21T07:28:00+00:00"}

    def cooldown(self):
        """In eighths: our pauses have nanoseconds, and others would differ in the last digit."""
        random = self.random
        asked = random.choice([None, None, 0, 3600, random.randint(1, 40_000) / 8, -random.randint(1, 80) / 8, "nan", "inf", "-inf"])
        return {"failures": random.randint(0, 14), "retry_after": asked, "random": random.randint(-2, 10) / 8}

    def export_url(self):
        random = self.random
        endpoint = random.choice(["https://agent365.svc.cloud.microsoft", "host.example", "https://host.example:8443/obs", "host.example:8443"])
        names = {"agent_id": random.choice(IDS), "tenant_id": random.choice(TENANTS)}
        return {"endpoint": endpoint, **names, "use_s2s_endpoint": self.chance(50)}

    def domain(self):
        random = self.random
        scheme = random.choice(["", "https://", "HTTPS://", "https:", "ftp://", "http:"])
        rest = random.choice(["host.example", "host.example:8443", "Host.Example/obs", "", "127.0.0.1", "[::1]:8443"])
        blank = random.choice(["", "", " ", "\t"])
        return {"env_value": None if self.chance(5) else f"{blank}{scheme}{rest}{blank}"}

    def chunks(self):
        sizes = [self.random.randint(-1 if self.chance(5) else 0, 12) for _ in range(self.random.randint(0, 12))]
        return {"sizes": sizes, "max_chunk_bytes": self.random.choice([1, 5, 10, 30, 0, -2])}


SIZES = {
    "estimate_value_bytes": lambda inputs: {"value": inputs.typed()},
    "estimate_span_bytes": lambda inputs: {"span": {**inputs.sized_span(), "events": inputs.list_of(inputs.event_of_span)}},
    "chunk_by_size": Inputs.chunks,
    "truncate_span": lambda inputs: {"span": inputs.sized_span()},
    "build_export_url": Inputs.export_url,
    "get_validated_domain_override": Inputs.domain,
    "parse_retry_after": Inputs.retry_after,
    "cooldown_seconds": Inputs.cooldown,
}
