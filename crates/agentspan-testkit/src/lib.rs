//! A scriptable loopback service for agentspan's tests, examples and benchmarks.
