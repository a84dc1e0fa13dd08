//! The turn: the spans that an agent makes when it answers once.
