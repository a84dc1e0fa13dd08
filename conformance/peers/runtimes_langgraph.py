"""Runs agents and flows through the LangGraph adapter of pyagentspec, and records their hooks.

    runtimes_langgraph.py RECORDING
"""

import asyncio
import logging
import sys

from hook_lines import record
from langgraph.checkpoint.memory import MemorySaver
from langgraph.types import Command
from pyagentspec.adapters.langgraph import AgentSpecLoader
from pyagentspec.agent import Agent
from pyagentspec.flows.edges import ControlFlowEdge, DataFlowEdge
from pyagentspec.flows.flow import Flow
from pyagentspec.flows.nodes import EndNode, LlmNode, StartNode, ToolNode
from pyagentspec.llms import OpenAiCompatibleConfig
from pyagentspec.property import StringProperty
from pyagentspec.swarm import Swarm
from pyagentspec.tools import ClientTool, ServerTool
from scripted_model import ScriptedModel

MODEL = ScriptedModel()
CITY = StringProperty(title="city")
ANSWER = StringProperty(title="answer")
WEATHER = ServerTool(name="weather", description="Tells the weather.", inputs=[CITY], outputs=[ANSWER])
BROKEN = ServerTool(name="broken", description="Fails.", inputs=[CITY], outputs=[ANSWER])
ASK = ClientTool(name="ask", description="Asks.", inputs=[StringProperty(title="q")], outputs=[ANSWER])


def weather(city):
    return f"sunny in {city}"


def broken(city):
    raise ValueError(f"no weather in {city}")


def model(name, *steps):
    return OpenAiCompatibleConfig(name=name, model_id=MODEL.script(name, *steps), url=MODEL.url + "/v1", api_key="k")


def agent(llm, tools=(), name="helper", description=None):
    return Agent(name=name, description=description, llm_config=llm, tools=list(tools), system_prompt="Be brief.")


def load(component):
    registry = {"weather": weather, "broken": broken}
    return AgentSpecLoader(tool_registry=registry, checkpointer=MemorySaver()).load_component(component)


CONFIG = {"configurable": {"thread_id": "1"}}
MESSAGES = {"messages": [{"role": "user", "content": "How is the weather?"}]}


def converse(component):
    return load(component).invoke(MESSAGES, CONFIG)["messages"][-1].content


def lg_agent_answers():
    return converse(agent(model("answers", "It is sunny.")))


def lg_agent_calls_a_tool():
    return converse(agent(model("one", [("weather", {"city": "Oslo"})], "Sunny."), [WEATHER]))


def lg_agent_calls_two_tools_at_once():
    calls = [("weather", {"city": "Oslo"}), ("weather", {"city": "Bonn"})]
    return converse(agent(model("two", calls, "Sunny."), [WEATHER]))


def lg_agent_calls_a_tool_that_fails():
    return converse(agent(model("fails", [("broken", {"city": "Oslo"})], "No idea."), [BROKEN]))


def lg_agent_whose_model_fails():
    return converse(agent(model("400", 400)))


def lg_agent_that_streams():
    graph = load(agent(model("stream", [("weather", {"city": "Oslo"})], "It is sunny today."), [WEATHER]))
    return sum(1 for _ in graph.stream(MESSAGES, CONFIG, stream_mode="messages"))


def lg_agent_whose_stream_is_left():
    graph = load(agent(model("left", "It is sunny today, and so on.")))
    stream = graph.stream(MESSAGES, CONFIG, stream_mode="messages")
    next(stream)
    stream.close()


def lg_agent_in_async_code():
    graph = load(agent(model("async", [("weather", {"city": "Oslo"})], "Sunny."), [WEATHER]))
    return asyncio.run(graph.ainvoke(MESSAGES, CONFIG))["messages"][-1].content


def lg_agent_that_is_cancelled():
    graph = load(agent(model("cancelled", "Sunny.")))

    async def run():
        task = asyncio.ensure_future(graph.ainvoke(MESSAGES, CONFIG))
        await asyncio.sleep(0)
        task.cancel()
        await task

    return asyncio.run(run())


def lg_agent_with_a_client_tool():
    graph = load(agent(model("client", [("ask", {"q": "?"})], "In Oslo."), [ASK]))
    graph.invoke(MESSAGES, CONFIG)
    return graph.invoke(Command(resume="Oslo"), CONFIG)["messages"][-1].content


def lg_agents_in_a_swarm():
    first = agent(model("swarm-1", [("transfer_to_second", {})], "Done."), name="first", description="first")
    second = agent(model("swarm-2", "Sunny."), name="second", description="second")
    return converse(Swarm(name="swarm", first_agent=first, relationships=[(first, second)]))


def flow(node):
    start = StartNode(name="start", inputs=[CITY])
    end = EndNode(name="end", outputs=[ANSWER])
    nodes = [start, node, end]
    control = [ControlFlowEdge(name=f"{a.name}-{b.name}", from_node=a, to_node=b) for a, b in zip(nodes, nodes[1:])]
    data = [
        DataFlowEdge(name="in", source_node=start, source_output="city", destination_node=node, destination_input="city"),
        DataFlowEdge(name="out", source_node=node, source_output="answer", destination_node=end, destination_input="answer"),
    ]
    return Flow(name="flow", start_node=start, nodes=nodes, control_flow_connections=control, data_flow_connections=data)


def run_flow(of):
    return load(of).invoke({"inputs": {"city": "Oslo"}, "messages": []}, CONFIG).get("outputs")


def lg_flow_with_a_tool():
    return run_flow(flow(ToolNode(name="look", tool=WEATHER)))


def lg_flow_whose_tool_fails():
    return run_flow(flow(ToolNode(name="look", tool=BROKEN)))


def lg_flow_that_asks_a_model():
    node = LlmNode(name="ask", llm_config=model("flow", "Sunny."), prompt_template="In {{city}}?", outputs=[ANSWER])
    return run_flow(flow(node))


def lg_flow_whose_model_fails():
    node = LlmNode(name="ask", llm_config=model("flow-400", 400), prompt_template="In {{city}}?", outputs=[ANSWER])
    return run_flow(flow(node))


SCENARIOS = [one for name, one in list(globals().items()) if name.startswith("lg_")]


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    record(SCENARIOS, sys.argv[1], lambda one: one.model_dump(mask_sensitive_information=False))
