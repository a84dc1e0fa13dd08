//! Discovery through its public API: what holds for every tenant and every token.

mod hosts;
mod project_files;
mod tokens;
