//! The flow: it looks something up, and answers with the result.

use agentspan_processor::execution::{FlowExecution, NodeExecution};
use serde_json::json;

use crate::Result;
use crate::assistant::Assistant;
use crate::work;

pub(crate) async fn run(assistant: &Assistant, city: &str) -> Result<String> {
    FlowExecution::of(&assistant.flow)
        .with_inputs(&json!({ "city": city }))
        .run(|_| async {
            let weather = NodeExecution::of(&assistant.look_up)
                .with_inputs(&json!({ "city": city }))
                .run(|_| work::forecast(assistant, city))
                .await?;
            NodeExecution::of(&assistant.answer)
                .with_inputs(&json!({ "weather": weather }))
                .run(|_| work::answer(assistant, &weather))
                .await
        })
        .await
}
