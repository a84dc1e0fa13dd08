"""Makes components of Agent Spec that the reference accepts, as plain objects."""

WORDS = ["city", "days", "who", "x", "имя", "名前", "a_b", "_", "1a", "²", "Ⅷ", "٣"]
ODD_PLACEHOLDERS = [
    "{{}}",
    "{{ }}",
    "{{a.b}}",
    "{{x}",
    "{ {x} }",
    "{{{{q}}}}",
    "{{a{{b}}c}}",
    "{{x|upper}}",
    "{{ y }}",
    "{{\r\nz\r\n}}",
    "{{e\u0301}}",
    "{{ना}}",
    "{{x\u200b}}",
    "{{Ⓐ}}",
    "{% if a %}{{b}}{% endif %}",
]
TEXTS = [
    "Be brief.",
    "",
    " ",
    "naïve 😀",
    "\u202eabc",
    "a\nb\n",
    "  lead",
    "tab\tinside",
    '"quoted"',
    "it's",
    "yes",
    "12",
    "1.5",
    "2001-12-14",
    "~",
    "null",
    "a: b",
    "- x",
    "# no comment",
    "a\u2028b",
    "\u0085",
    "\ufeffx",
    "C:\\path",
]
TYPES = ["string", "integer", "number", "boolean", "object", "array", "null"]


class Maker:
    """Makes components that the reference accepts."""

    def __init__(self, random):
        self.random = random
        self.count = 0

    def one(self, *choices):
        return self.random.choice(choices)

    def chance(self, probability):
        return self.random.random() < probability

    def component(self, kind, prefix, **members):
        self.count += 1
        identifier = f"{prefix}-{self.count}"
        head = {"component_type": kind, "id": identifier, "name": self.one(identifier, f"the {prefix}", "n")}
        if self.chance(0.2):
            head["description"] = self.one(None, self.text())
        if self.chance(0.2):
            head["metadata"] = self.one({}, None, self.anything(2), {"a": [1, {"b": None}]})
            if not isinstance(head["metadata"], (dict, type(None))):
                head["metadata"] = {"a": head["metadata"]}
        return head | {name: value for name, value in members.items() if value is not LEFT_OUT}

    def perhaps(self, make, probability=0.4):
        return make() if self.chance(probability) else LEFT_OUT

    def text(self):
        return self.random.choice(TEXTS)

    def template(self):
        parts = [self.random.choice(TEXTS)]
        for _ in range(self.random.randrange(4)):
            word = self.random.choice(WORDS)
            odd = self.random.choice(ODD_PLACEHOLDERS)
            parts.append(self.one("{{%s}}" % word, "{{ %s }}" % word, odd))
            parts.append(self.one(" ", ", ", ""))
        return "".join(parts)

    def number(self):
        return self.one(0, 1, -1, 7, 0.5, -0.0, 1e-05, 1e16, 1.5e300, 2**63, -(2**63), 12345678901234567890123)

    def anything(self, depth):
        kinds = ["text", "number", "constant"] + (["list", "object"] if depth else [])
        kind = self.random.choice(kinds)
        if kind == "text":
            return self.text()
        if kind == "number":
            return self.number()
        if kind == "constant":
            return self.one(None, True, False)
        if kind == "list":
            return [self.anything(depth - 1) for _ in range(self.random.randrange(3))]
        return {
            self.one("a", "b", "ключ", "", "yes"): self.anything(depth - 1) for _ in range(self.random.randrange(3))
        }

    def schema(self, title):
        schema = {"title": title, "type": self.random.choice(TYPES[:4])}
        if self.chance(0.2):
            schema = {"title": title, "anyOf": [{"type": "string"}, {"type": "null"}]}
        if self.chance(0.2):
            schema["description"] = "said"
        if self.chance(0.1):
            schema = {"title": title, "type": "array", "items": {"type": "string"}}
        return schema

    def schemas(self):
        titles = self.random.sample(["q", "r", "s", "täg", "x1"], self.random.randrange(3))
        return [self.schema(title) for title in titles]

    def retry(self):
        return self.one(None, {}, {"max_attempts": 3}, {"jitter": "equal", "backoff_factor": 3})

    def llm(self):
        shared = {
            "default_generation_parameters": self.perhaps(
                lambda: self.one(None, {}, {"temperature": 0}, {"max_tokens": 5, "seed": 7, "stop": ["\n"]})
            ),
            "retry_policy": self.perhaps(self.retry, 0.2),
            "api_key": self.perhaps(lambda: self.one(None, "s3", ""), 0.2),
        }
        kind = self.one(
            "OpenAiConfig",
            "VllmConfig",
            "OllamaConfig",
            "OpenAiCompatibleConfig",
            "LlmConfig",
            "GeminiConfig",
        )
        if kind == "OpenAiConfig":
            return self.component(kind, "llm", model_id="gpt", **shared)
        if kind == "GeminiConfig":
            auth = self.component("GeminiAIStudioAuthConfig", "auth", api_key=self.perhaps(lambda: "k"))
            return self.component(kind, "llm", model_id="gemini", auth=auth, **shared)
        if kind == "LlmConfig":
            return self.component(kind, "llm", model_id="m", provider=self.perhaps(lambda: "acme"), **shared)
        files = {"ca_file": self.perhaps(lambda: self.one("/ca", None), 0.2)}
        return self.component(kind, "llm", model_id="m", url="http://llm.internal", **shared, **files)

    def tool(self):
        kind = self.one("ServerTool", "ServerTool", "ClientTool", "RemoteTool", "BuiltinTool", "MCPTool")
        shared = {"requires_confirmation": self.perhaps(lambda: self.one(True, False), 0.2)}
        if kind == "RemoteTool":
            return self.request(kind, "tool") | shared_only(shared)
        shared |= {"inputs": self.perhaps(self.schemas), "outputs": self.perhaps(self.schemas)}
        if kind == "BuiltinTool":
            options = self.perhaps(lambda: self.one(None, {"a": 1}))
            return self.component(kind, "tool", tool_type="search", configuration=options, **shared)
        if kind == "MCPTool":
            return self.component(kind, "tool", client_transport=self.transport(), **shared)
        return self.component(kind, "tool", **shared)

    def request(self, kind, prefix):
        return self.component(
            kind,
            prefix,
            url="https://api.internal/" + self.template(),
            http_method=self.one("GET", "POST"),
            data=self.perhaps(lambda: self.one({}, {"{{k}}": [self.template(), 1]}, self.template())),
            query_params=self.perhaps(lambda: {"q": self.template()}),
            headers=self.perhaps(lambda: {"h": self.template()}),
            sensitive_headers=self.perhaps(lambda: self.one({}, {"k": "s3"}), 0.2),
            url_allow_list=self.perhaps(lambda: self.one(None, ["https://api.internal"]), 0.2),
        )

    def transport(self):
        kind = self.one("StdioTransport", "SSETransport", "StreamableHTTPTransport", "SSEmTLSTransport")
        if kind == "StdioTransport":
            return self.component(
                kind,
                "transport",
                command="c",
                args=self.perhaps(lambda: ["-x", "1"]),
                env=self.perhaps(lambda: self.one(None, {"A": "b"})),
                session_parameters=self.perhaps(lambda: {"read_timeout_seconds": 7}, 0.2),
            )
        files = {name: "f" for name in ("key_file", "cert_file", "ca_file")} if "mTLS" in kind else {}
        return self.component(
            kind,
            "transport",
            url="https://mcp.internal",
            headers=self.perhaps(lambda: self.one(None, {"A": "b"})),
            **files,
        )

    def toolbox(self):
        spec = lambda: self.component("MCPToolSpec", "spec", inputs=self.perhaps(self.schemas))  # noqa: E731
        chosen = lambda: [self.one("one", "two", spec()) for _ in range(self.random.randrange(3))]  # noqa: E731
        return self.component(
            "MCPToolBox",
            "box",
            client_transport=self.transport(),
            tool_filter=self.perhaps(lambda: self.one(None, chosen())),
        )

    def transform(self):
        kind = self.one("MessageSummarizationTransform", "ConversationSummarizationTransform")
        store = lambda: self.component("InMemoryCollectionDatastore", "store", datastore_schema={})  # noqa: E731
        return self.component(
            kind, "transform", llm=self.llm(), datastore=self.perhaps(lambda: self.one(None, store()))
        )

    def agent(self):
        many = lambda make, most: [make() for _ in range(self.random.randrange(most))]  # noqa: E731
        return self.component(
            "Agent",
            "agent",
            llm_config=self.llm(),
            system_prompt=self.template(),
            tools=many(self.tool, 3),
            toolboxes=self.perhaps(lambda: many(self.toolbox, 2), 0.2),
            transforms=self.perhaps(lambda: many(self.transform, 2), 0.2),
            human_in_the_loop=self.perhaps(lambda: self.one(True, False), 0.2),
        )

    def agentic(self, depth):
        kinds = ["agent", "agent", "remote"] + (["swarm", "managers", "specialized", "flow"] if depth else [])
        kind = self.random.choice(kinds)
        if kind == "swarm":
            agents = [self.agentic(depth - 1) for _ in range(2)]
            pairs = self.one([agents], [agents, agents[::-1]])
            return self.component(
                "Swarm",
                "swarm",
                first_agent=agents[0],
                relationships=pairs,
                handoff=self.perhaps(lambda: self.one("always", "never", True), 0.3),
            )
        if kind == "managers":
            workers = [self.agentic(depth - 1) for _ in range(self.random.randrange(1, 3))]
            return self.component("ManagerWorkers", "managers", group_manager=self.agentic(depth - 1), workers=workers)
        if kind == "specialized":
            parameters = self.component(
                "AgentSpecializationParameters",
                "special",
                additional_instructions=self.perhaps(lambda: self.one(None, self.template())),
                additional_tools=self.perhaps(lambda: [self.tool()], 0.2),
            )
            return self.component(
                "SpecializedAgent",
                "specialized",
                agent=self.agent(),
                agent_specialization_parameters=parameters,
            )
        if kind == "flow":
            return self.flow(depth - 1)
        if kind == "remote":
            connection = self.component("A2AConnectionConfig", "connection", headers=self.perhaps(lambda: {"A": "b"}))
            return self.component(
                "A2AAgent",
                "remote",
                agent_url="http://agents.internal",
                connection_config=connection,
                inputs=self.perhaps(self.schemas, 0.2),
            )
        return self.agent()

    def flow(self, depth):
        middle = [self.node(depth) for _ in range(self.random.randrange(3))]
        start = self.component("StartNode", "start", inputs=self.perhaps(self.schemas))
        end = self.component(
            "EndNode",
            "end",
            outputs=self.perhaps(self.schemas),
            branch_name=self.perhaps(lambda: "done", 0.2),
        )
        nodes = [start, *middle, end]
        edges = []
        for source, target in zip(nodes, nodes[1:]):
            branches = branches_of(source)
            for branch in branches:
                edges.append(
                    self.component("ControlFlowEdge", "edge", from_node=source, from_branch=branch, to_node=target)
                )
        return self.component(
            "Flow",
            "flow",
            start_node=start,
            nodes=nodes,
            control_flow_connections=edges,
            data_flow_connections=self.one([], None, LEFT_OUT),
        )

    def node(self, depth):
        kinds = ["llm", "tool", "input", "output", "api", "branching", "agent"]
        kinds += ["flow", "map", "catch", "parallel", "parallel map"] if depth else []
        kind = self.random.choice(kinds)
        if kind == "llm":
            return self.component("LlmNode", "node", llm_config=self.llm(), prompt_template=self.template())
        if kind == "tool":
            return self.component("ToolNode", "node", tool=self.tool())
        if kind == "input":
            return self.component(
                "InputMessageNode", "node", message=self.perhaps(lambda: self.one(None, self.template()))
            )
        if kind == "output":
            return self.component("OutputMessageNode", "node", message=self.template())
        if kind == "api":
            return self.request("ApiNode", "node")
        if kind == "branching":
            return self.component(
                "BranchingNode", "node", mapping=self.one({}, {"1": "one"}, {"1": "one", "2": "default"})
            )
        if kind == "agent":
            return self.component("AgentNode", "node", agent=self.agentic(depth))
        if kind == "parallel":
            return self.component("ParallelFlowNode", "node", subflows=self.one([], [self.flow(depth - 1)]))
        name = {
            "flow": "FlowNode",
            "map": "MapNode",
            "catch": "CatchExceptionNode",
            "parallel map": "ParallelMapNode",
        }[kind]
        return self.component(name, "node", subflow=self.flow(depth - 1))

    def any(self):
        make = self.random.choice(
            [
                self.llm,
                self.tool,
                self.transport,
                self.toolbox,
                self.transform,
                self.agent,
                lambda: self.agentic(1),
                lambda: self.agentic(2),
                lambda: self.flow(1),
                lambda: self.flow(2),
                lambda: self.node(2),
            ]
        )
        return make()


class LeftOut:
    """A member that is not there."""


LEFT_OUT = LeftOut()


def shared_only(members):
    return {name: value for name, value in members.items() if value is not LEFT_OUT}


def branches_of(node):
    if node["component_type"] == "BranchingNode":
        return sorted({"default", *node["mapping"].values()})
    if node["component_type"] in ("FlowNode", "CatchExceptionNode"):
        ends = [inner for inner in node["subflow"]["nodes"] if inner["component_type"] == "EndNode"]
        names = sorted({end.get("branch_name", "next") for end in ends})
        return names + (["caught_exception_branch"] if node["component_type"] == "CatchExceptionNode" else [])
    return [None]
