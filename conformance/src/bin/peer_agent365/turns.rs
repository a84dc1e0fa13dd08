//! Turns of conversations that are made from seeds, and what both sides make of them.

use std::error::Error;
use std::fmt;

use agentspan_otel::BaggageBuilder;
use conformance::Json;
use serde_json::{Map, Value, json};

use crate::generation::Generation;
use crate::random::Random;

/// Names and ids, of which some are blank or empty.
const TEXTS: &[&str] = &[
    "a",
    "Ada Łovelace",
    "29:1-xyz",
    " padded ",
    "agent@contoso.com",
    "\u{1f}x\u{3000}",
    "日本語 🦀",
    "line\nbreak",
    "quote\"",
    "",
    " ",
    "\u{1c}\t",
];

const ROLES: &[&str] = &[
    "user",
    "bot",
    "agenticUser",
    "agenticUser",
    "agenticAppInstance",
    "agenticAppInstance",
    "agenticuser",
    "AGENTICUSER",
    "agentic_user",
    " agenticUser",
    "connectoruser",
];

const CHANNELS: &[&str] = &[
    "msteams",
    "agents",
    "agents:email",
    " msteams ",
    "a : b ",
    "a:b:c",
    "a:",
    "a: ",
    "a::b",
    "webchat:\u{3000}",
    "\u{1c}a\u{1d}:\u{1e}b\u{1f}",
    ":b",
    "",
    "  ",
    ":",
];

const ENTITY_TYPES: &[&str] = &[
    "ProductInfo",
    "productInfo",
    "PRODUCTINFO",
    "productinfo",
    "ProductInfo ",
    "clientInfo",
    "wpxcomment",
    "emailNotification",
];

const PRODUCTS: &[&str] = &["COPILOT", "email", " b ", "b", "", "  "];

/// Channel data as text, of which some is no JSON.
const DATA_TEXTS: &[&str] = &[
    r#"{"productContext": "COPILOT"}"#,
    r#" {"productContext": "a b"} "#,
    r#"{"productContext": ""}"#,
    r#"{"productContext": 1}"#,
    r#"{"productContext": "one", "productContext": "two"}"#,
    r#"{"product_context": "COPILOT"}"#,
    r#"{"productContext": {"productContext": "x"}}"#,
    r#""productContext""#,
    r#"["productContext"]"#,
    "{nope",
    "",
    " ",
    "null",
    "0",
];

/// A channel data that only Python takes for JSON.
const ONLY_PYTHON: &str = r#"{"n": NaN, "productContext": "COPILOT"}"#;

/// What was compared so far.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) compared: usize,
    pub(crate) different: usize,
    /// How many of them say something.
    with_pairs: usize,
    refused: usize,
    without_recipient: usize,
    only_python: usize,
}

impl Counts {
    /// What is different in the baggage of a turn. Of an activity that its class refuses, ours must only be read.
    pub(crate) fn compare(
        &mut self,
        activity: &Value,
        theirs: &Json,
        generation: Generation,
    ) -> Result<Option<String>, Box<dyn Error>> {
        let turn = json!({ "activity": activity });
        let builder = BaggageBuilder::for_profile(generation.profile).with_turn_context_json(&turn);
        let baggage = builder.build();
        if theirs.member("refused").is_some() {
            self.refused += 1;
            return Ok(None);
        }
        if activity.to_string().contains("NaN") {
            self.only_python += 1;
            return Ok(None);
        }
        let pairs = theirs
            .member("pairs")
            .ok_or("the driver has left out pairs")?;
        let ours = Json::of(&baggage.pairs().collect::<Vec<_>>())?;
        self.compared += 1;
        self.with_pairs += usize::from(pairs.as_array().is_some_and(|pairs| !pairs.is_empty()));
        let lacks_recipient = theirs.member("lacks_recipient") == Some(&Json::Bool(true));
        self.without_recipient += usize::from(lacks_recipient);
        if *pairs == ours {
            return Ok(None);
        }
        self.different += 1;
        Ok(Some(format!("expected {pairs}, found {ours}")))
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            compared,
            different,
            with_pairs,
            refused,
            without_recipient,
            only_python,
        } = self;
        write!(
            f,
            "{compared} compared, of which {with_pairs} say something; {different} different; \
             left out: {refused} that the class of activities refuses, {only_python} with the rule \
             channel-data-must-be-json; with the rule that a turn without a recipient is no error: \
             {without_recipient}"
        )
    }
}

/// The activity of a turn, in the names of the Bot Framework, of Python, or in both.
pub(crate) fn activity(seed: u64) -> Value {
    let mut random = Random::new(seed);
    let random = &mut random;
    let mut activity = Map::new();
    activity.insert(
        "type".to_owned(),
        json!(random.pick(&["message", "event", "invoke"])),
    );
    let from = account(random);
    let recipient = account(random);
    let conversation = object(random, &[("id", TEXTS), ("tenantId", TEXTS)]);
    put(random, &mut activity, 85, "from", from);
    put(random, &mut activity, 90, "recipient", recipient);
    put(random, &mut activity, 80, "conversation", conversation);
    let channel = json!(random.pick(CHANNELS));
    put(random, &mut activity, 85, "channelId", channel);
    let link = json!(random.pick(TEXTS));
    put(random, &mut activity, 60, "serviceUrl", link);
    let entities = (0..random.below(4)).map(|_| entity(random)).collect();
    put(random, &mut activity, 40, "entities", entities);
    let data = channel_data(random);
    put(random, &mut activity, 50, "channelData", data);
    Value::Object(activity)
}

fn account(random: &mut Random) -> Value {
    object(
        random,
        &[
            ("id", TEXTS),
            ("name", TEXTS),
            ("aadObjectId", TEXTS),
            ("agenticAppId", TEXTS),
            ("agenticUserId", TEXTS),
            ("tenantId", TEXTS),
            ("role", ROLES),
            ("upn", TEXTS),
        ],
    )
}

fn object(random: &mut Random, members: &[(&str, &[&str])]) -> Value {
    let mut object = Map::new();
    for (name, texts) in members {
        // An empty text is refused nearly everywhere.
        let text = *random.pick(texts);
        let text = if text.is_empty() && !random.chance(5) {
            "x"
        } else {
            text
        };
        put(random, &mut object, 70, name, json!(text));
    }
    Value::Object(object)
}

fn entity(random: &mut Random) -> Value {
    let mut entity = Map::new();
    entity.insert("type".to_owned(), json!(random.pick(ENTITY_TYPES)));
    let product = json!(random.pick(PRODUCTS));
    put(random, &mut entity, 80, "id", product);
    match random.below(60) {
        0 => Value::Null,
        1 => json!({"id": "no type"}),
        _ => Value::Object(entity),
    }
}

fn channel_data(random: &mut Random) -> Value {
    match random.below(10) {
        0..=3 => json!(random.pick(DATA_TEXTS)),
        4..=6 => json!({"productContext": random.pick(PRODUCTS), "tenant": {"id": "t"}}),
        7 => json!({"productContext": [{"productContext": "x"}]}),
        8 => {
            let others = [
                json!([{"productContext": "x"}]),
                json!(0),
                json!(true),
                json!({}),
            ];
            random.pick(&others).clone()
        }
        _ => json!(ONLY_PYTHON),
    }
}

/// Sets a member in so many of a hundred objects: by either name, seldom as something that it is not.
fn put(
    random: &mut Random,
    object: &mut Map<String, Value>,
    percent: usize,
    name: &str,
    value: Value,
) {
    if !random.chance(percent) {
        return;
    }
    let value = match random.below(150) {
        0 => Value::Null,
        1 => json!(7),
        2 => json!([]),
        _ => value,
    };
    let in_python = match name {
        "from" => "from_property".to_owned(),
        name => snake_case(name),
    };
    match random.below(20) {
        0 => {
            object.insert(name.to_owned(), value);
            object.insert(in_python, json!("of python"));
        }
        1..=9 => {
            object.insert(in_python, value);
        }
        _ => {
            object.insert(name.to_owned(), value);
        }
    }
}

fn snake_case(name: &str) -> String {
    let split = name.chars().map(|c| match c {
        'A'..='Z' => format!("_{}", c.to_ascii_lowercase()),
        c => c.to_string(),
    });
    split.collect()
}
