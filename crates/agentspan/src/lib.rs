//! Observability for Rust programs that run AI agents: Agent 365 scopes and export in a few lines.
