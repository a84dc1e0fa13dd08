//! Programs that show agentspan at work.
