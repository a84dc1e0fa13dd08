//! The command line.

mod doctor;
mod transform;
mod watch;

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use agentspan_model::agent365::contract::Level;
use agentspan_model::agent365::{AgentId, IdentityError, Profile, TenantId};
use clap::builder::PossibleValue;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command, value_parser};

use crate::check::{Amount, CheckRequest, Format};
use crate::command_error::CommandError;
use crate::convert::ConvertRequest;
use crate::demo::DemoRequest;
use crate::diff::DiffRequest;
use crate::doctor::DoctorRequest;
use crate::judging::{OF_AGENT365, Rules, Sending};
use crate::replay::ReplayRequest;
use crate::serve::{Fault, ServeRequest};
use crate::show::ShowRequest;
use crate::tail::TailRequest;

/// A parsed request.
#[derive(Debug)]
pub(crate) enum Request {
    /// Help or the version, as text.
    Help(String),
    Check(CheckRequest),
    Completions(clap_complete::Shell),
    Convert(ConvertRequest),
    Demo(DemoRequest),
    Diff(DiffRequest),
    Doctor(DoctorRequest),
    /// The page of the manual for this command.
    Manual(Box<Command>),
    Replay(ReplayRequest),
    Serve(ServeRequest),
    Show(ShowRequest),
    Tail(TailRequest),
}

/// Reads the command line.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Request, CommandError> {
    let matches = match command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            let text = error.render().to_string();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(Request::Help(text)),
                _ => Err(CommandError::Usage(text)),
            };
        }
    };
    match matches.subcommand() {
        Some(("check", matches)) => Ok(Request::Check(check_request(matches))),
        Some(("completions", matches)) => {
            let shell = matches.get_one("shell").copied();
            Ok(Request::Completions(
                shell.unwrap_or(clap_complete::Shell::Bash),
            ))
        }
        Some(("convert", matches)) => Ok(Request::Convert(transform::convert_request(matches))),
        Some(("diff", matches)) => Ok(Request::Diff(transform::diff_request(matches))),
        Some(("doctor", matches)) => Ok(Request::Doctor(doctor::doctor_request(matches))),
        Some(("man", matches)) => manual(text(matches, "command").as_deref()),
        Some(("replay", matches)) => Ok(Request::Replay(transform::replay_request(matches))),
        Some(("demo", matches)) => Ok(Request::Demo(DemoRequest {
            is_once: matches.get_flag("once"),
        })),
        Some(("serve", matches)) => Ok(Request::Serve(serve_request(matches))),
        Some(("show", matches)) => Ok(Request::Show(ShowRequest {
            files: files(matches),
            has_contents: matches.get_flag("contents"),
            is_json: matches.get_flag("json"),
            trace: matches.get_one("trace").cloned(),
        })),
        Some(("tail", matches)) => Ok(Request::Tail(watch::tail_request(matches))),
        // Clap demands a subcommand that it knows.
        _ => Err(CommandError::Usage("no subcommand".to_owned())),
    }
}

/// The command with its subcommands.
pub(crate) fn command() -> Command {
    Command::new("agentspan")
        .version(env!("CARGO_PKG_VERSION"))
        .about("See what an agent did, and why a span would not reach Agent 365")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(check())
        .subcommand(completions())
        .subcommand(transform::convert())
        .subcommand(demo())
        .subcommand(transform::diff())
        .subcommand(doctor::doctor())
        .subcommand(man())
        .subcommand(transform::replay())
        .subcommand(serve())
        .subcommand(show())
        .subcommand(watch::tail())
}

fn completions() -> Command {
    let shell = Arg::new("shell")
        .value_name("SHELL")
        .required(true)
        .value_parser(value_parser!(clap_complete::Shell))
        .help("The shell to generate completions for");
    Command::new("completions")
        .about("Generate completions for a shell")
        .arg(shell)
}

fn man() -> Command {
    let command = Arg::new("command")
        .value_name("COMMAND")
        .help("The subcommand to document; agentspan itself if omitted");
    Command::new("man")
        .about("Generate a man page, in roff")
        .arg(command)
}

/// The page of the manual for a command of this program, or for the program.
fn manual(name: Option<&str>) -> Result<Request, CommandError> {
    let mut whole = command();
    whole.build();
    let Some(name) = name else {
        return Ok(Request::Manual(Box::new(whole)));
    };
    let found = whole.find_subcommand(name).cloned();
    found
        .map(|command| Request::Manual(Box::new(command)))
        .ok_or_else(|| CommandError::Usage(format!("no such command: {name:?}\n")))
}

fn demo() -> Command {
    Command::new("demo")
        .about("Run a small example agent, print its trace, and serve a page that shows it")
        .arg(flag("once", "Exit as soon as the agent has answered"))
}

/// The ports of OTLP.
const HTTP_PORT: u16 = 4318;
const GRPC_PORT: u16 = 4317;

fn serve() -> Command {
    let port = |name: &'static str, default: u16, help: &'static str| {
        let parser = value_parser!(u16);
        let argument = Arg::new(name)
            .long(name)
            .value_name("PORT")
            .value_parser(parser);
        argument.help(format!("{help} [default: {default}; 0 picks a free port]"))
    };
    Command::new("serve")
        .about("Receive spans like an OTLP collector or Agent 365, follow files, and show all spans on a page")
        .arg(files_argument().required(false).num_args(0..))
        .arg(port(
            "port",
            HTTP_PORT,
            "Port for the page, OTLP over HTTP, and Agent 365",
        ))
        .arg(port("grpc-port", GRPC_PORT, "Port for OTLP over gRPC"))
        .arg(
            Arg::new("listen")
                .long("listen")
                .value_name("ADDRESS")
                .value_parser(value_parser!(IpAddr))
                .help("Address to listen on instead of 127.0.0.1; one that other machines can reach requires a token"),
        )
        .arg(
            Arg::new("token")
                .long("token")
                .value_name("TOKEN")
                .help("Reject requests without `Authorization: Bearer TOKEN` or `?token=TOKEN`"),
        )
        .arg(
            Arg::new("token-env")
                .long("token-env")
                .value_name("NAME")
                .help("Environment variable that holds the token; other users of this machine can see --token"),
        )
        .group(ArgGroup::new("secret").args(["token", "token-env"]))
        .arg(
            Arg::new("memory")
                .long("memory")
                .value_name("MIB")
                .value_parser(value_parser!(u32).range(1..=65_536))
                .help("Maximum size of the spans in memory, in MiB [default: 256]"),
        )
        .arg(
            Arg::new("store")
                .long("store")
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .help("Also save received requests as files in this directory, and load the files already there"),
        )
        .arg(
            Arg::new("store-limit")
                .long("store-limit")
                .value_name("MIB")
                .value_parser(value_parser!(u32).range(64..))
                .requires("store")
                .help("Maximum size of the directory, in MiB; the oldest files are deleted first [default: 1024]"),
        )
        .arg(
            Arg::new("fault")
                .long("fault")
                .value_name("STATUS[,retry-after=SECONDS][,times=COUNT]")
                .action(ArgAction::Append)
                .value_parser(Fault::parse)
                .help("Answer requests that contain spans with this error status; repeat to play several faults in turn"),
        )
        .arg(profile("Agent 365 generation to judge spans by"))
}

/// The generation of Agent 365. The default is 2.0.0.
fn profile(help: &'static str) -> Arg {
    Arg::new("profile")
        .long("profile")
        .value_name("PROFILE")
        .default_value(Profile::V2.name())
        .value_parser(Profile::ALL.map(profile_word))
        .help(help)
}

/// The word for a generation, also as `check --for` writes it.
fn profile_word(profile: Profile) -> PossibleValue {
    const LONG: [&str; 4] = [
        "agent365:v0.1",
        "agent365:v2",
        "agent365:v3",
        "agent365:direct",
    ];
    let name = profile.name();
    let is_same = |long: &&str| long.strip_prefix(OF_AGENT365) == Some(name);
    PossibleValue::new(name).aliases(LONG.into_iter().filter(is_same))
}

fn profile_of(matches: &ArgMatches) -> Profile {
    let name = text(matches, "profile").unwrap_or_default();
    let name = name.strip_prefix(OF_AGENT365).unwrap_or(&name);
    Profile::named(name).unwrap_or(Profile::V2)
}

/// A tenant id. One that could break out of a URL is none.
fn tenant(id: &str) -> Result<String, IdentityError> {
    TenantId::parse(id).map(|_| id.to_owned())
}

/// As [`tenant`], the id of an agent.
fn agent(id: &str) -> Result<String, IdentityError> {
    AgentId::parse(id).map(|_| id.to_owned())
}

fn serve_request(matches: &ArgMatches) -> ServeRequest {
    let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);
    let address = matches.get_one("listen").copied().unwrap_or(loopback);
    let port = |name: &str, default| matches.get_one(name).copied().unwrap_or(default);
    let memory = matches.get_one::<u32>("memory").copied().unwrap_or(256);
    ServeRequest {
        files: files(matches),
        http: SocketAddr::new(address, port("port", HTTP_PORT)),
        grpc: SocketAddr::new(address, port("grpc-port", GRPC_PORT)),
        token: text(matches, "token"),
        token_variable: text(matches, "token-env"),
        store: matches.get_one("store").cloned(),
        store_limit: u64::from(
            matches
                .get_one::<u32>("store-limit")
                .copied()
                .unwrap_or(1024),
        ) << 20,
        faults: matches
            .get_many("fault")
            .into_iter()
            .flatten()
            .cloned()
            .collect(),
        package: profile_of(matches),
        memory: usize::try_from(memory)
            .unwrap_or(usize::MAX)
            .saturating_mul(1 << 20),
    }
}

fn check() -> Command {
    let option = |name: &'static str| Arg::new(name).long(name);
    Command::new("check")
        .about("Find spans that Agent 365 would refuse or that break a convention, and explain why")
        .after_help(
            "Exit codes: 0 if no finding reaches the level of --fail-on, 1 if one does, 2 if a file cannot be read or\n\
             there are no spans. docs/agent365-contract.md documents the rules of Agent 365.",
        )
        .arg(files_argument())
        .arg(
            option("for")
                .value_name("RULES")
                .default_value("agent365")
                .action(ArgAction::Append)
                .value_parser(rules)
                .help("Rules to apply: agent365, agent365:RULESET, agent365:PROFILE (also without agent365:), genai, or agentspec; may be repeated"),
        )
        .arg(
            option("format")
                .value_name("FORMAT")
                .default_value("human")
                .value_parser(Format::NAMES)
                .help("Output format of the findings"),
        )
        .arg(
            option("fail-on")
                .value_name("LEVEL")
                .default_value("error")
                .value_parser(["error", "warning", "hint"])
                .help("Lowest level of a finding that makes the command fail"),
        )
        .arg(flag(
            "all",
            "Name every span of a finding, not only the first three (format human)",
        ))
        .arg(flag(
            "as-sent",
            "Judge OTLP spans as they are, not as the delivery would translate and rewrite them",
        ))
}

fn rules(name: &str) -> Result<Rules, String> {
    Rules::named(name).ok_or_else(|| format!("expected one of {}", Rules::names()))
}

fn check_request(matches: &ArgMatches) -> CheckRequest {
    let text = |name: &str| matches.get_one::<String>(name).map_or("", String::as_str);
    let sending = match matches.get_flag("as-sent") {
        true => Sending::AsItStands,
        false => Sending::ByAnExporter,
    };
    CheckRequest {
        files: files(matches),
        rules: matches
            .get_many("for")
            .into_iter()
            .flatten()
            .copied()
            .collect(),
        format: Format::named(text("format")),
        fail_on: match text("fail-on") {
            "hint" => Level::Hint,
            "warning" => Level::Warning,
            _ => Level::Error,
        },
        sending,
        amount: match matches.get_flag("all") {
            true => Amount::All,
            false => Amount::Some,
        },
    }
}

fn show() -> Command {
    Command::new("show")
        .about("Print the traces in files as trees")
        .arg(files_argument())
        .arg(flag(
            "contents",
            "Also print the beginning of each input and output",
        ))
        .arg(flag(
            "json",
            "Print one JSON object per trace, in the format of the page of `serve`",
        ))
        .arg(
            Arg::new("trace")
                .long("trace")
                .value_name("ID")
                .help("Print only traces whose ID starts with this prefix"),
        )
}

fn files_argument() -> Arg {
    Arg::new("files")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .num_args(1..)
        .required(true)
        .help("Agent Spec recordings, OTLP in JSON, or requests to Agent 365; or directories of such files")
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .action(ArgAction::SetTrue)
        .help(help)
}

fn text(matches: &ArgMatches, name: &str) -> Option<String> {
    matches.get_one(name).cloned()
}

fn files(matches: &ArgMatches) -> Vec<PathBuf> {
    matches
        .get_many("files")
        .into_iter()
        .flatten()
        .cloned()
        .collect()
}
