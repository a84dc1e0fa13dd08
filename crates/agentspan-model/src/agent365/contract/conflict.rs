//! Open questions, on which sources disagree or are silent.

/// A question on which sources disagree or are silent, and our answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conflict {
    /// A stable name.
    pub name: &'static str,
    /// The question.
    pub question: &'static str,
    /// The answers of the sources.
    pub sides: [&'static str; 2],
    /// The default.
    pub default: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// All open questions.
pub static CONFLICTS: &[Conflict] = &[
    Conflict {
        name: "body-wire",
        question: "How is a body written?",
        sides: [
            "OTLP/JSON as standard (documentation, several senders)",
            "the flat form (both packages, Microsoft's Apex sample)",
        ],
        default: "The flat form in the profiles of the packages, OTLP/JSON with `Profile::Direct`; `with_wire` chooses either.",
        reason: "The packages are what Microsoft runs, and a sender in Apex saw 200 for the flat form.",
    },
    Conflict {
        name: "value-kinds",
        question: "Must each value be text?",
        sides: [
            "yes (attribute reference)",
            "no: typed values pass (a direct sender), and both packages send them",
        ],
        default: "Typed values on the flat wire, text on the standard wire, of which alone R23 speaks.",
        reason: "Each wire has witnesses for its own kind.",
    },
    Conflict {
        name: "default-route",
        question: "Which route is the default?",
        sides: [
            "`/observability/` (both packages)",
            "`/observabilityService/` (guides, the authentication page)",
        ],
        default: "The route of the profile, with `V3` and `Direct` that of the token; R32 and R33 compare it with the token.",
        reason: "A token fits one route only, so the token decides.",
    },
    Conflict {
        name: "app-role",
        question: "Does an app-only token need the role?",
        sides: [
            "yes (older text, Python package, Apex sample)",
            "no, for a registered instance (S2S sample, newer text)",
        ],
        default: "No; `AppRole::Demanded` asks for it.",
        reason: "A client that demands the role refuses tokens that the service takes.",
    },
    Conflict {
        name: "mandatory-sets",
        question: "Which attributes are mandatory?",
        sides: [
            "the attribute reference",
            "store publishing, certification, the filter of the packages",
        ],
        default: "`RuleSet::AttributeReference`; the others are rule sets, too.",
        reason: "It is the page for senders without an SDK.",
    },
    Conflict {
        name: "other-operations",
        question: "Are `Chat` and `apply_guardrail` taken?",
        sides: [
            "yes: both packages export them",
            "no: they are not in the attribute reference",
        ],
        default: "They are sent, but `Profile::Direct` writes `chat` and filters `apply_guardrail`; R01 and R02 warn of them.",
        reason: "Nobody saw the service drop them, and nobody documents that it takes them.",
    },
    Conflict {
        name: "user-of-autonomous-runs",
        question: "Who is the user of a run without a person?",
        sides: ["the sponsor", "nobody, or a synthetic id"],
        default: "None is set.",
        reason: "A wrong actor in an audit log is worse than none.",
    },
    Conflict {
        name: "parent-of-root",
        question: "How does a root write its parent?",
        sides: ["it leaves it out", "`\"\"` or null"],
        default: "As the profile's package does, and not at all on the standard wire; a judge takes all three.",
        reason: "The service was seen to take each.",
    },
    Conflict {
        name: "otlp-in-path",
        question: "Does the path have `/otlp`?",
        sides: ["yes (S2S sample)", "an older gateway refused it"],
        default: "Yes; R34 speaks without it.",
        reason: "The refusals are of early previews.",
    },
    Conflict {
        name: "answer-body",
        question: "What does an answer hold?",
        sides: [
            "`results` for each span (newer text)",
            "`partialSuccess` only, which may be null (older text)",
        ],
        default: "Both are read; spans without a result are unconfirmed.",
        reason: "Absent results say nothing.",
    },
    Conflict {
        name: "not-routed-beside-sent",
        question: "Is a span delivered that one sink has and another does not?",
        sides: [
            "yes, with a warning (one sender)",
            "each applicable sink must have it (troubleshooting page)",
        ],
        default: "It counts as delivered, and the report gives the other sink's reason.",
        reason: "Which sinks apply is not documented.",
    },
    Conflict {
        name: "open-sets",
        question: "Which sinks and reasons are there?",
        sides: [
            "`flashpoint`, `sentinel`, `esp` were seen",
            "a fixture has `m365`",
        ],
        default: "All are passed on in the service's words.",
        reason: "The lists are not documented.",
    },
    Conflict {
        name: "limits",
        question: "What are the limits of rate, spans and attributes?",
        sides: ["1,000,000 bytes for a body", "nothing else is documented"],
        default: "900,000 bytes for a body, `Retry-After` for each identity, no compression.",
        reason: "The packages do the same.",
    },
    Conflict {
        name: "resending",
        question: "May a rejected span be sent again?",
        sides: ["not documented", "–"],
        default: "No, and ids never change.",
        reason: "The service does not say that it removes duplicates.",
    },
    Conflict {
        name: "optional-rows",
        question: "What is the level of rows that no excerpt shows?",
        sides: ["optional", "unknown"],
        default: "They are marked `optional?` and cause no finding.",
        reason: "A false alarm costs more than a missing one.",
    },
    Conflict {
        name: "sovereign-hosts",
        question: "Which host do sovereign clouds use?",
        sides: [
            "one host is documented",
            "hosts of the discovery service exist",
        ],
        default: "The documented host; an override names another.",
        reason: "No sovereign host is documented for ingestion.",
    },
    Conflict {
        name: "agents-without-entra",
        question: "Does the Activity view show agents without an Entra registration?",
        sides: [
            "no (notes, May 2026)",
            "yes, with `user.id` (a thread of the samples)",
        ],
        default: "It depends; no rule speaks.",
        reason: "Both were seen.",
    },
    Conflict {
        name: "status-and-protocol",
        question: "Which status, scheme and encoding are right?",
        sides: [
            "200, `Bearer`, JSON",
            "202 in logs, `MSAuth1.0` in one lab, protobuf in one comment",
        ],
        default: "Any 2xx, `Bearer`, JSON.",
        reason: "All other sources agree on these.",
    },
    Conflict {
        name: "switch-of-direct",
        question: "Does a sender without an SDK need `ENABLE_OBSERVABILITY`?",
        sides: [
            "yes, scopes are off without it (the deprecated SDK)",
            "no: only a no switches them off (Python 1.5.0); the pages for senders without an SDK name no variable",
        ],
        default: "No. As in `V3`, a program that configures Agent 365 with `Profile::Direct` has its scopes on, and a no in either variable switches them off.",
        reason: "A program that follows these pages would record nothing until it sets the switch of a package that it does not use; an operator's no still counts.",
    },
    Conflict {
        name: "free-attributes-of-direct",
        question: "Which of two free attributes with one key stays on a scope?",
        sides: [
            "the last (core 2.0.0, Node, .NET)",
            "the first (Python 1.5.0); nothing is documented",
        ],
        default: "The last in `V2`, the first in `V3` and `Direct`.",
        reason: "The newest package overwrites nothing, so that a program records the same with `V3` and with `Direct`.",
    },
];
