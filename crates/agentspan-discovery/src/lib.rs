//! Where Agent 365 lives and what the environment asks for: endpoints, switches, claims of a token.
