//! The code that is broken, and the tests that have to notice.

use std::collections::BTreeSet;

use crate::loom;

/// A part of the code.
#[derive(Debug)]
pub(super) struct Area {
    pub(super) name: &'static str,
    /// Files without their extension. The modules below them are meant, too.
    modules: &'static [&'static str],
    /// From the quickest to the slowest: each sees what those before it have missed.
    pub(super) judges: &'static [Judge],
}

/// Tests that have to notice.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) description: &'static str,
    /// The crates with the tests; none for the crate that is changed.
    pub(super) packages: &'static [&'static str],
    /// Options of cargo for the targets that are built.
    pub(super) targets: &'static [&'static str],
    /// Arguments for the tests: parts of their names; all of them without one.
    pub(super) tests: &'static [&'static str],
    /// How many inputs a property is tried with.
    pub(super) cases: &'static str,
    /// The checker of concurrency that runs the tests.
    pub(super) checker: Option<&'static str>,
}

impl Judge {
    const fn of_crate(description: &'static str, targets: &'static [&'static str]) -> Self {
        Self {
            description,
            packages: &[],
            targets,
            tests: &[],
            cases: "256",
            checker: None,
        }
    }
}

impl Area {
    /// Patterns of its files, as cargo-mutants reads them.
    pub(super) fn files(&self) -> impl Iterator<Item = String> {
        let modules = self.modules.iter();
        modules.flat_map(|module| [format!("{module}.rs"), format!("{module}/**")])
    }

    /// The crates of its files.
    pub(super) fn packages(&self) -> BTreeSet<&str> {
        let modules = self.modules.iter();
        modules
            .filter_map(|module| module.split('/').nth(1))
            .collect()
    }

    /// Whether a file is one of it.
    pub(super) fn has(&self, file: &str) -> bool {
        self.modules.iter().any(|module| {
            let rest = file.strip_prefix(module);
            rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        })
    }
}

const UNIT_TESTS: Judge = Judge::of_crate("unit tests", &["--lib"]);
const INTEGRATION_TESTS: Judge = Judge::of_crate("integration tests", &["--test=it"]);

/// Each area that `cargo xtask mutants` knows.
pub(super) const AREAS: &[Area] = &[
    Area {
        name: "queue",
        modules: &[
            "crates/agentspan-queue/src/queue",
            "crates/agentspan-queue/src/told",
        ],
        judges: &[
            Judge {
                description: "unit tests, quickly",
                tests: &["--skip=costs_the_same"],
                cases: "32",
                ..UNIT_TESTS
            },
            UNIT_TESTS,
            Judge {
                description: "models of the hand-off",
                tests: &[loom::MODELS],
                checker: Some("loom"),
                ..UNIT_TESTS
            },
        ],
    },
    Area {
        name: "lanes",
        modules: &["crates/agentspan-agent365/src/delivery/lanes"],
        judges: &[
            Judge {
                tests: &["delivery::lanes"],
                ..UNIT_TESTS
            },
            INTEGRATION_TESTS,
        ],
    },
    Area {
        name: "grouping",
        modules: &["crates/agentspan-agent365/src/grouping"],
        judges: &[
            Judge {
                tests: &["grouping"],
                ..UNIT_TESTS
            },
            INTEGRATION_TESTS,
        ],
    },
    Area {
        name: "masking",
        modules: &[
            "crates/agentspan-model/src/masked",
            "crates/agentspan-model/src/agentspec/disclosure",
            "crates/agentspan-model/src/agentspec/dump",
            "crates/agentspan-model/src/agentspec/sensitive",
            "crates/agentspan-model/src/agentspec/unknown_members",
            "crates/agentspan-model/src/keys/sensitivity",
            "crates/agentspan-otel/src/masked",
            "crates/agentspan-record/src/hiding",
            "crates/agentspan-record/src/names",
        ],
        judges: &[
            UNIT_TESTS,
            Judge::of_crate("all tests of the crate", &["--tests"]),
        ],
    },
    Area {
        name: "propagation",
        modules: &["crates/agentspan-otel/src/propagation"],
        judges: &[
            Judge {
                tests: &["propagation"],
                ..UNIT_TESTS
            },
            INTEGRATION_TESTS,
        ],
    },
];
