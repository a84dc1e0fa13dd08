//! Batches of spans made from a seed, in the form of the vectors about exports.
//!
//! They vary what the shipped vectors hold still: many identities in one batch, every type of value, texts
//! that are hard to escape, and answers of the service. They stay within what both sides accept:
//! ids that can be part of a URL, numbers that JSON has.

use agentspan_model::agent365::Profile;
use agentspan_model::keys;
use serde_json::{Value, json};

use crate::generation::Generation;
use crate::random::Random;

const CATEGORIES: &[&str] = &["prod", "preprod", "test", "gov", "high", "mooncake"];

const TENANTS: &[&str] = &[
    "e3064512-cc6d-4703-be71-a2ecaecaa98a",
    "adfa4542-3e1e-46f5-9c70-3df0b15b3f6c",
    "00000000-0000-0000-0000-000000000001",
    "contoso-tenant",
];

const AGENTS: &[&str] = &[
    "agent-1",
    "7d2c8a1e-55c0-4d47-8a43-09b1b1f3a001",
    "Agent.With_Some~Signs",
    "an agent with spaces",
    "ägent-日本",
    "user@contoso.com",
];

const TEXTS: &[&str] = &[
    "",
    " ",
    "plain",
    "two\nlines\r\nand\ttabs",
    "quotes \" ' ` and \\ backslashes \\\\",
    "controls \u{0}\u{1}\u{8}\u{b}\u{c}\u{1f}\u{7f}\u{9f}",
    "</script><!-- ${jndi:ldap://x} %2e%2e/ {{x}} %s %n",
    "naïve café, 日本語, العربية, עברית",
    "emoji 🦀👩‍👩‍👧‍👦🏳️‍🌈",
    "separators \u{2028}\u{2029}\u{85}",
    "invisible \u{feff}\u{200b}\u{202e}right to left\u{202c}",
    "edges \u{d7ff}\u{e000}\u{fffd}\u{ffff}\u{10ffff}",
    "{\"json\": [1, 2.5, null]}",
    "true",
    "null",
    "-0.0",
];

const NUMBERS: &[f64] = &[
    0.0,
    -0.0,
    1.0,
    -1.5,
    0.1,
    1e15,
    1e16,
    1e17,
    1e21,
    1e22,
    1e-4,
    1e-5,
    1e-7,
    5e-324,
    1.7976931348623157e308,
    123_456_789.123_456_78,
    2.5,
    1e300,
];

const INTEGERS: &[i64] = &[
    0,
    1,
    -1,
    9_007_199_254_740_993,
    i64::MAX,
    i64::MIN,
    443,
    1_000_000_007,
];

const KINDS: &[&str] = &["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];

/// Answers after which a request is sent again, and what follows them. The last one repeats.
const TRIED_AGAIN: &[&[u16]] = &[
    &[503, 200],
    &[429, 500, 200],
    &[408, 202],
    &[502, 504, 599, 204],
];

/// Answers that are final.
const NOT_TRIED_AGAIN: &[&[u16]] = &[
    &[400, 200],
    &[401],
    &[403, 201],
    &[404],
    &[413, 200],
    &[422, 503, 200],
];

const FIRST_NANOSECOND: u64 = 1_765_000_000_000_000_000;

/// Operations of which version 2 sends spans, and two of which it does not.
const OPERATIONS: &[&str] = &[
    "invoke_agent",
    "execute_tool",
    "output_messages",
    "apply_guardrail",
    "chat",
    "Chat",
    "text_completion",
    "generate_content",
    "TextCompletion",
    "embeddings",
];

/// Operations of which version 3 sends spans, and three of which it does not.
const OPERATIONS_OF_V3: &[&str] = &[
    "invoke_agent",
    "execute_tool",
    "output_messages",
    "apply_guardrail",
    "chat",
    "Chat",
    "TextCompletion",
    "embeddings",
    "",
];

/// As whom agents act.
const USERS: &[&str] = &["user-1", "", " ", "nutzer-ä"];

/// Limits of bodies: small enough that a few spans exceed them, and the default.
const LIMITS: &[Option<u64>] = &[None, None, Some(3_000), Some(12_000), Some(60_000)];

const DOMAINS: &[Option<&str>] = &[
    None,
    None,
    Some("observability.example.com"),
    Some(" observability.example.com:8443 "),
    Some("https://example.com/base"),
    Some("HTTPS://Gateway.Example.COM/Base"),
    Some("https://example.com/base/"),
    Some("ftp://example.com"),
];

/// What a service asks for; the pauses are noted and not waited for.
const RETRY_AFTER: &[&str] = &["0", "2.5", "7", "61", "soon", ""];

/// The input of one export.
pub(crate) fn batch(seed: u64, generation: Generation) -> Value {
    let mut input = first_batch(seed, generation);
    match generation.profile {
        Profile::V0_1 => {}
        Profile::V3 => {
            let random = &mut Random::new(!seed);
            add_second_generation(&mut input, random, OPERATIONS_OF_V3);
            add_third_generation(&mut input, random);
        }
        _ => add_second_generation(&mut input, &mut Random::new(!seed), OPERATIONS),
    }
    input
}

/// Adds what only the third generation looks at, and leaves out most of what a rule is about: awaited tokens, resolvers
/// that fail, tries that fail without a queue, and what is refused.
fn add_third_generation(input: &mut Value, random: &mut Random) {
    input["resolver"] = json!(random.pick(&["simple", "contextual", "both"]));
    input["max_payload_bytes"] = Value::Null;
    let domain = input["domain_override"].as_str().unwrap_or_default();
    if domain.ends_with('/') || domain.starts_with("ftp") {
        input["domain_override"] = Value::Null;
    }
    let responses = input["responses"].as_array().into_iter().flatten();
    let mut statuses = responses.filter_map(|response| response["status"].as_u64());
    let may_fail = statuses.any(|status| status >= 300);
    input["durable_delivery"] = json!(may_fail || random.chance(50));
    for token in input["tokens"].as_array_mut().into_iter().flatten() {
        let answer = &mut token["answer"];
        if let Some(awaited) = answer.get("async_token") {
            *answer = json!({"token": awaited});
        } else if answer.get("raises").is_some() {
            *answer = json!({"token": null});
        }
    }
    for span in input["spans"].as_array_mut().into_iter().flatten() {
        let Some(attributes) = span["attributes"].as_array_mut() else {
            continue;
        };
        attributes.retain(|pair| pair[1]["string"] != "  ");
        if random.chance(40) {
            let user = json!([keys::MICROSOFT_AGENT_USER_ID, {"string": random.pick(USERS)}]);
            attributes.insert(random.below(attributes.len() + 1), user);
        }
    }
}

/// Adds what only the second generation looks at.
fn add_second_generation(input: &mut Value, random: &mut Random, operations: &[&str]) {
    input["max_payload_bytes"] = json!(random.pick(LIMITS));
    input["domain_override"] = json!(random.pick(DOMAINS));
    for token in input["tokens"].as_array_mut().into_iter().flatten() {
        if random.chance(30) && token["answer"].get("token").is_some() {
            token["answer"] = json!({"async_token": token["answer"]["token"]});
        }
    }
    for response in input["responses"].as_array_mut().into_iter().flatten() {
        if random.chance(50) {
            response["headers"] = json!({"Retry-After": random.pick(RETRY_AFTER)});
        }
    }
    for span in input["spans"].as_array_mut().into_iter().flatten() {
        let Some(attributes) = span["attributes"].as_array_mut() else {
            continue;
        };
        if !random.chance(5) {
            let operation = json!(["gen_ai.operation.name", {"string": random.pick(operations)}]);
            attributes.insert(random.below(attributes.len() + 1), operation);
        }
        if random.chance(3) {
            // Near the limit of a span, in letters that count one, six or twelve times.
            let unit = random.pick(&["a", "ä", "🦀", "\""]);
            let count = 20_000 + random.below(250_000);
            let value = json!({"string_repeat": {"unit": unit, "count": count}});
            attributes.push(json!(["gen_ai.input.messages", value]));
        }
    }
}

/// What both generations look at.
fn first_batch(seed: u64, generation: Generation) -> Value {
    let random = &mut Random::new(seed);
    let identities: Vec<(&str, &str)> = (0..=random.below(4))
        .map(|_| (*random.pick(TENANTS), *random.pick(AGENTS)))
        .collect();
    let count = match seed % 10 {
        0 => 0,
        9 => 200,
        _ => 1 + random.below(12),
    };
    let resource = pairs(random, "resource");
    let mut spans: Vec<Value> = Vec::new();
    for _ in 0..count {
        let span = span(random, &identities, &resource, spans.last(), generation);
        spans.push(span);
    }
    json!({
        "cluster_category": random.pick(CATEGORIES),
        "use_s2s_endpoint": random.chance(30),
        "tokens": tokens(random, &identities),
        "default_token": {"token": "token-of-everybody-else"},
        "responses": responses(random, seed),
        "spans": spans,
    })
}

fn tokens(random: &mut Random, identities: &[(&str, &str)]) -> Vec<Value> {
    let entries = identities.iter().enumerate();
    entries
        .map(|(index, (tenant, agent))| {
            let answer = match random.below(8) {
                0 => json!({"token": null}),
                1 => json!({"token": ""}),
                2 => json!({"raises": "no token today"}),
                _ => json!({"token": format!("token-{index}")}),
            };
            json!({"tenant_id": tenant, "agent_id": agent, "answer": answer})
        })
        .collect()
}

/// Mostly success; every fifth batch meets answers that are tried again, or are not.
fn responses(random: &mut Random, seed: u64) -> Vec<Value> {
    let statuses: &[u16] = match seed % 5 {
        3 => random.pick::<&[u16]>(TRIED_AGAIN),
        4 => random.pick::<&[u16]>(NOT_TRIED_AGAIN),
        _ => &[200],
    };
    statuses
        .iter()
        .map(|status| json!({"status": status}))
        .collect()
}

fn span(
    random: &mut Random,
    identities: &[(&str, &str)],
    resource: &[Value],
    before: Option<&Value>,
    generation: Generation,
) -> Value {
    let (tenant, agent) = *random.pick(identities);
    let parent = before.filter(|_| random.chance(60));
    let trace_id = match parent {
        Some(parent) => parent["trace_id"].clone(),
        None => json!(format!(
            "{:016x}{:016x}",
            random.number(),
            random.number() | 1
        )),
    };
    let parent = parent.map(|parent| {
        json!({"trace_id": trace_id, "span_id": parent["span_id"], "is_remote": random.chance(20)})
    });
    let start = FIRST_NANOSECOND + random.number() % 1_000_000_000_000;
    let end = start + random.number() % 10_000_000_000;
    let scope = random.pick(&[
        ("Agent365Sdk", Some("")),
        ("other.scope", Some("1.2.3")),
        ("without.version", None),
        ("", Some("")),
    ]);
    json!({
        "name": *random.pick(&["invoke_agent", "execute_tool búsqueda", "Chat gpt-4o", "", "a \"quoted\" name"]),
        "trace_id": trace_id,
        "span_id": format!("{:016x}", random.number() | 1),
        "parent": parent,
        "kind": random.pick(KINDS),
        "status": status(random),
        "start_time_unix_nano": start,
        "end_time_unix_nano": end,
        "attributes": attributes(random, (generation.tenant_key, tenant), agent),
        "events": (0..random.below(4)).map(|_| event(random, start)).collect::<Vec<_>>(),
        "links": (0..random.below(3)).map(|_| link(random)).collect::<Vec<_>>(),
        "resource": resource,
        "scope": {"name": scope.0, "version": scope.1},
    })
}

fn status(random: &mut Random) -> Value {
    match random.below(4) {
        0 => json!({"code": "OK", "description": null}),
        1 => json!({"code": "ERROR", "description": random.pick(TEXTS)}),
        _ => json!({"code": "UNSET", "description": null}),
    }
}

/// The identity somewhere among other attributes; now and then half of it is missing or blank.
fn attributes(random: &mut Random, tenant: (&str, &str), agent: &str) -> Vec<Value> {
    let mut found = pairs(random, "first");
    let again = found.first().cloned().filter(|_| random.chance(20));
    let incomplete = random.below(20);
    if incomplete != 0 {
        found.push(json!([tenant.0, {"string": tenant.1}]));
    }
    match incomplete {
        1 => {}
        2 => found.push(json!(["gen_ai.agent.id", {"string": "  "}])),
        _ => found.push(json!(["gen_ai.agent.id", {"string": agent}])),
    }
    found.extend(pairs(random, "second"));
    if let Some(first) = again {
        // Set a second time, with another value, an attribute moves to the end.
        found.push(json!([first[0], typed(random)]));
    }
    found
}

fn pairs(random: &mut Random, prefix: &str) -> Vec<Value> {
    let count = random.below(9);
    let pairs = (0..count).map(|index| {
        let key = match random.below(5) {
            0 => format!("{prefix} {index} ключ \"quoted\""),
            1 => format!("{prefix}.{index}"),
            2 => format!("{prefix}/🦀/{index}\n"),
            _ => format!("{prefix}_{index}"),
        };
        json!([key, typed(random)])
    });
    pairs.collect()
}

fn typed(random: &mut Random) -> Value {
    let length = random.below(4);
    match random.below(10) {
        0 => json!({"bool": random.chance(50)}),
        1 => json!({"int": random.pick(INTEGERS)}),
        2 => json!({"double": random.pick(NUMBERS)}),
        3 => json!({"double": f64::from_bits((random.number() >> 2) | 1)}),
        4 => json!({"string_array": (0..length).map(|_| *random.pick(TEXTS)).collect::<Vec<_>>()}),
        5 => json!({"bool_array": (0..length).map(|_| random.chance(50)).collect::<Vec<_>>()}),
        6 => json!({"int_array": (0..length).map(|_| *random.pick(INTEGERS)).collect::<Vec<_>>()}),
        7 => {
            json!({"double_array": (0..length).map(|_| *random.pick(NUMBERS)).collect::<Vec<_>>()})
        }
        8 if random.chance(10) => json!({"string": random.pick(TEXTS).repeat(2_000)}),
        _ => json!({"string": random.pick(TEXTS)}),
    }
}

fn event(random: &mut Random, start: u64) -> Value {
    json!({
        "name": random.pick(TEXTS),
        "timestamp_unix_nano": start + random.number() % 1_000_000,
        "attributes": pairs(random, "event"),
    })
}

fn link(random: &mut Random) -> Value {
    json!({
        "trace_id": format!("{:016x}{:016x}", random.number(), random.number() | 1),
        "span_id": format!("{:016x}", random.number() | 1),
        "attributes": pairs(random, "link"),
    })
}
