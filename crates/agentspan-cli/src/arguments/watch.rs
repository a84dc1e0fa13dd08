//! The command line of `tail`.

use clap::{Arg, ArgMatches, Command};

use super::{files, files_argument, flag, text};
use crate::tail::TailRequest;

pub(super) fn tail() -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("tail")
        .about("Print the trees of traces as they come, from a running serve or from files that grow")
        .after_help("A trace is printed when it has not changed for half a second, and again when it changes later.")
        .arg(files_argument().required(false).num_args(0..))
        .arg(
            option("from", "HOST:PORT", "The server, if no file is named")
                .default_value("127.0.0.1:4318"),
        )
        .arg(option("token-env", "NAME", "The variable of the environment that has the server's token"))
        .arg(flag("contents", "Also print the beginning of what was asked and answered"))
}

pub(super) fn tail_request(matches: &ArgMatches) -> TailRequest {
    TailRequest {
        files: files(matches),
        from: text(matches, "from").unwrap_or_default(),
        token_variable: text(matches, "token-env"),
        has_contents: matches.get_flag("contents"),
    }
}
