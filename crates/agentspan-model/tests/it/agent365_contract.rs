//! The contract of Agent 365 as data, and what a judge finds with it.

mod answers;
mod attributes;
mod mistakes;
mod page_golden;
mod profiles;
mod proofs;
mod recorded;
mod remedies;
mod run;
mod statuses;
