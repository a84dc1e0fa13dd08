"""Runs agents and flows in WayFlow, Oracle's own runtime of Agent Spec, and records their hooks.

    runtimes_wayflow.py RECORDING
"""

import logging
import sys

from hook_lines import record
from scripted_model import ScriptedModel
from wayflowcore import Agent, Flow, Swarm, tool
from wayflowcore.agentspec.tracing import AgentSpecEventListener, dump_tracing_model
from wayflowcore.controlconnection import ControlFlowEdge
from wayflowcore.dataconnection import DataFlowEdge
from wayflowcore.events.eventlistener import register_event_listeners
from wayflowcore.executors.executionstatus import ToolRequestStatus
from wayflowcore.managerworkers import ManagerWorkers
from wayflowcore.messagelist import Message, MessageType
from wayflowcore.models import OpenAICompatibleModel
from wayflowcore.property import StringProperty
from wayflowcore.steps import (
    CompleteStep,
    InputMessageStep,
    OutputMessageStep,
    PromptExecutionStep,
    StartStep,
    ToolExecutionStep,
)
from wayflowcore.tools import ClientTool, ToolResult

MODEL = ScriptedModel()


def model(name, *steps):
    return OpenAICompatibleModel(model_id=MODEL.script(name, *steps), base_url=MODEL.url, api_key="k")


@tool(description_mode="only_docstring")
def weather(city: str) -> str:
    """Tells the weather."""
    return f"sunny in {city}"


@tool(description_mode="only_docstring")
def broken(city: str) -> str:
    """Fails."""
    raise ValueError(f"no weather in {city}")


def converse(assistant, text="How is the weather?"):
    conversation = assistant.start_conversation()
    conversation.append_user_message(text)
    conversation.execute()
    last = conversation.get_last_message()
    return conversation, last.content if last else None


def agent(llm, tools=(), **more):
    more.setdefault("name", "helper")
    return Agent(llm=llm, tools=list(tools), custom_instruction="Be brief.", **more)


def agent_answers():
    return converse(agent(model("answers", "It is sunny.")))[1]


def agent_calls_a_tool():
    return converse(agent(model("one", [("weather", {"city": "Oslo"})], "Sunny."), [weather]))[1]


def agent_calls_two_tools_at_once():
    calls = [("weather", {"city": "Oslo"}), ("weather", {"city": "Bonn"})]
    return converse(agent(model("two", calls, "Sunny."), [weather]))[1]


def agent_calls_a_tool_that_fails():
    llm = model("tool-fails", [("broken", {"city": "Oslo"})], "No idea.")
    return converse(agent(llm, [broken]))[1]


def agent_raises_what_a_tool_raises():
    llm = model("tool-raises", [("broken", {"city": "Oslo"})], "No idea.")
    return converse(agent(llm, [broken], raise_exceptions=True))[1]


def agent_whose_model_fails():
    return converse(agent(model("fails", 400)))[1]


def agent_that_names_an_unknown_tool():
    return converse(agent(model("unknown", [("nothing", {})], "Sorry."), [weather]))[1]


def agent_with_a_client_tool():
    ask = ClientTool(name="ask", description="Asks.", input_descriptors=[StringProperty(name="q")])
    assistant = agent(model("client", [("ask", {"q": "where?"})], "In Oslo."), [ask])
    conversation = assistant.start_conversation()
    conversation.append_user_message("hi")
    status = conversation.execute()
    assert isinstance(status, ToolRequestStatus)
    request = status.tool_requests[0]
    answer = ToolResult(content="Oslo", tool_request_id=request.tool_request_id)
    conversation.append_message(Message(tool_result=answer, message_type=MessageType.TOOL_RESULT))
    conversation.execute()
    return conversation.get_last_message().content


def agent_in_two_turns():
    conversation, _ = converse(agent(model("turns", "Where?", "Sunny.")))
    conversation.append_user_message("In Oslo.")
    conversation.execute()
    return conversation.get_last_message().content


def agents_in_a_swarm():
    first = agent(model("swarm-1", [("send_message", {"recipient": "second", "message": "?"})], "Done."),
                  name="first", description="first")
    second = agent(model("swarm-2", "Sunny."), name="second", description="second")
    return converse(Swarm(first_agent=first, relationships=[(first, second)], name="swarm"))[1]


def agents_that_hand_over():
    first = agent(model("over-1", [("handoff_conversation", {"recipient": "second", "message": "?"})]),
                  name="first", description="first")
    second = agent(model("over-2", "Sunny."), name="second", description="second")
    return converse(Swarm(first_agent=first, relationships=[(first, second)], name="swarm"))[1]


def manager_with_workers():
    worker = agent(model("worker", "Sunny."), name="worker", description="worker")
    manager = model("manager", [("send_message", {"recipient": "worker", "message": "?"})], "Done.")
    return converse(ManagerWorkers(group_manager=manager, workers=[worker], name="group"))[1]


def manager_whose_worker_fails():
    worker = agent(model("worker-fails", 400), name="worker", description="worker")
    manager = model("manager-of", [("send_message", {"recipient": "worker", "message": "?"})], "Done.")
    return converse(ManagerWorkers(group_manager=manager, workers=[worker], name="group"))[1]


def flow(*steps, data=()):
    start = StartStep(name="start", input_descriptors=[StringProperty(name="city", default_value="Oslo")])
    nodes = [start, *steps, CompleteStep(name="end")]
    edges = [ControlFlowEdge(source_step=a, destination_step=b) for a, b in zip(nodes, nodes[1:])]
    city = [DataFlowEdge(start, "city", step, "city") for step in steps if "city" in names(step)]
    return Flow(begin_step=start, control_flow_edges=edges, data_flow_edges=[*city, *data], name="flow")


def names(step):
    return [one.name for one in step.input_descriptors]


def run_flow(of):
    return of.start_conversation({"city": "Oslo"}).execute()


def flow_with_a_tool():
    return run_flow(flow(ToolExecutionStep(name="look", tool=weather)))


def flow_whose_tool_fails():
    return run_flow(flow(ToolExecutionStep(name="look", tool=broken, raise_exceptions=True)))


def flow_that_asks_a_model():
    ask = PromptExecutionStep(name="ask", llm=model("flow", "Sunny."), prompt_template="Weather in {{city}}?")
    return run_flow(flow(ask))


def flow_whose_model_fails():
    ask = PromptExecutionStep(name="ask", llm=model("flow-fails", 400), prompt_template="In {{city}}?")
    return run_flow(flow(ask))


def flow_that_speaks():
    return run_flow(flow(OutputMessageStep(name="say", message_template="In {{city}}.")))


def flow_that_waits_for_its_user():
    return run_flow(flow(InputMessageStep(name="wait", message_template="Go on?")))


SCENARIOS = [
    agent_answers,
    agent_calls_a_tool,
    agent_calls_two_tools_at_once,
    agent_calls_a_tool_that_fails,
    agent_raises_what_a_tool_raises,
    agent_whose_model_fails,
    agent_that_names_an_unknown_tool,
    agent_with_a_client_tool,
    agent_in_two_turns,
    agents_in_a_swarm,
    agents_that_hand_over,
    manager_with_workers,
    manager_whose_worker_fails,
    flow_with_a_tool,
    flow_whose_tool_fails,
    flow_that_asks_a_model,
    flow_whose_model_fails,
    flow_that_speaks,
    flow_that_waits_for_its_user,
]


def listened(scenario):
    with register_event_listeners([AgentSpecEventListener()]):
        return scenario()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    dump = lambda one: dump_tracing_model(one, mask_sensitive_information=False)
    record(SCENARIOS, sys.argv[1], dump, listened)
