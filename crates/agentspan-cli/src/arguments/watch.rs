//! The command line of `tail`.

use clap::{Arg, ArgMatches, Command};

use super::{files, files_argument, flag, text};
use crate::tail::TailRequest;

pub(super) fn tail() -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("tail")
        .about("Print traces as trees as they arrive, from a running `serve` or from growing files")
        .after_help("A trace is printed once it has not changed for half a second (10 seconds while it runs), and again after\n\
             later changes.")
        .arg(files_argument().required(false).num_args(0..))
        .arg(
            option("from", "HOST:PORT", "Server to follow if no file is given")
                .default_value("127.0.0.1:4318"),
        )
        .arg(option("token-env", "NAME", "Environment variable that holds the token of the server"))
        .arg(flag("contents", "Also print the beginning of each input and output"))
}

pub(super) fn tail_request(matches: &ArgMatches) -> TailRequest {
    TailRequest {
        files: files(matches),
        from: text(matches, "from").unwrap_or_default(),
        token_variable: text(matches, "token-env"),
        has_contents: matches.get_flag("contents"),
    }
}
