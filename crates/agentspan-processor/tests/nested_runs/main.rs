//! Runs nested in each other in one function, as deep as an agent of agents nests them.
//!
//! A crate of its own: the compiler computes the types of nested futures within the default
//! `recursion_limit`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use agentspan_model::agentspec::{
    Agent, Component, Flow, LlmConfig, ManagerWorkers, Node, SpanDetails, Swarm, Tool,
};
use agentspan_processor::execution::{
    AgentExecution, FlowExecution, LlmGeneration, ManagerWorkersExecution, NodeExecution,
    SwarmExecution, ToolExecution,
};
use agentspan_processor::{Span, Trace, TraceError, active_span_stack};

struct Parts {
    agent: Agent,
    flow: Flow,
    node: Node,
    tool: Tool,
    swarm: Swarm,
    managed: ManagerWorkers,
    model: LlmConfig,
}

impl Parts {
    fn new() -> Self {
        Self {
            agent: Agent::try_from(Component::builder("Agent", "agent").build()).unwrap(),
            flow: Flow::try_from(Component::builder("Flow", "flow").build()).unwrap(),
            node: Node::try_from(Component::builder("ToolNode", "node").build()).unwrap(),
            tool: Tool::new("tool"),
            swarm: Swarm::try_from(Component::builder("Swarm", "swarm").build()).unwrap(),
            managed: ManagerWorkers::try_from(
                Component::builder("ManagerWorkers", "managed").build(),
            )
            .unwrap(),
            model: LlmConfig::openai("gpt-4o"),
        }
    }
}

async fn depth_inside(parts: &Parts) -> Result<usize, TraceError> {
    let Parts {
        agent,
        flow,
        node,
        tool,
        swarm,
        managed,
        model,
    } = parts;
    Trace::builder()
        .with_processor(agentspan_processor::InMemory::new())
        .run(|_| async move {
            ManagerWorkersExecution::of(managed)
                .run(|_| async move {
                    SwarmExecution::of(swarm)
                        .run(|_| async move {
                            AgentExecution::of(agent)
                                .run(|_| async move {
                                    FlowExecution::of(flow)
                                        .run(|_| async move {
                                            NodeExecution::of(node)
                                                .run(|_| async move {
                                                    ToolExecution::of(tool).run(|_| async move {
                                    AgentExecution::of(agent).run(|_| async move {
                                        FlowExecution::of(flow).run(|_| async move {
                                            Span::builder(SpanDetails::Plain).run(|_| async move {
                                                ToolExecution::of(tool).run(|_| async move {
                                                    LlmGeneration::of(model).run(|_| async move {
                                                        tokio::task::yield_now().await;
                                                        Ok(active_span_stack().len())
                                                    }).await
                                                }).await
                                            }).await
                                        }).await
                                    }).await
                                }).await
                                                })
                                                .await
                                        })
                                        .await
                                })
                                .await
                        })
                        .await
                })
                .await
        })
        .await
}

#[tokio::test]
async fn a_trace_and_eleven_spans_nest_in_one_function_that_a_task_runs() {
    #[expect(
        clippy::disallowed_methods,
        reason = "a task needs a future that is `Send`"
    )]
    let task = tokio::spawn(async { depth_inside(&Parts::new()).await });
    assert_eq!(task.await.unwrap().unwrap(), 12);
}
