//! Random programs: spans of every kind that are opened, entered, given parents and closed in any order have the
//! parents that the rules of `tracing` and of OpenTelemetry give them.

use std::collections::{BTreeMap, BTreeSet};

use opentelemetry::trace::{SpanId, TraceContextExt as _};
use opentelemetry::{Context, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::recorder::{Recorder, value};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A span of an agent.
    Agent,
    /// Any other, which is exported only with one of an agent below it. It is no root, or what is above it could
    /// end before anybody knows that there will be an agent below.
    Plain,
    Scope,
}

#[derive(Clone, Copy, Debug)]
enum Parent {
    Contextual,
    None,
    /// One of those that were opened before.
    Explicit(usize),
}

/// A span, and what happens inside of it, or beside it if it is never entered.
#[derive(Clone, Debug)]
struct Node {
    kind: Kind,
    parent: Parent,
    is_entered: bool,
    /// Its handle is dropped where it is left; others live until the end.
    is_dropped: bool,
    /// Recorded after the children.
    late: Option<i64>,
    follows: Option<usize>,
    children: Vec<Self>,
}

fn node() -> impl Strategy<Value = Node> {
    let parent = prop_oneof![
        4 => Just(Parent::Contextual),
        2 => Just(Parent::None),
        2 => (0..8_usize).prop_map(Parent::Explicit),
    ];
    let kind = prop_oneof![Just(Kind::Agent), Just(Kind::Plain), Just(Kind::Scope)];
    let leaf = (
        kind,
        parent,
        prop::bool::weighted(0.8),
        any::<bool>(),
        prop::option::of(0..9_i64),
        prop::option::of(0..8_usize),
    );
    let leaf = leaf.prop_map(
        |(kind, parent, is_entered, is_dropped, late, follows)| Node {
            kind,
            parent,
            is_entered,
            is_dropped,
            late,
            follows,
            children: Vec::new(),
        },
    );
    leaf.clone().prop_recursive(5, 24, 4, move |inner| {
        (leaf.clone(), vec(inner, 0..4)).prop_map(|(mut node, children)| {
            node.children = children;
            node
        })
    })
}

/// Runs a program, and notes what is to come of it.
struct Run<'a> {
    recorder: &'a Recorder,
    open: Vec<(String, Span)>,
    parents: BTreeMap<String, Option<String>>,
    plain: BTreeSet<String>,
    late: BTreeMap<String, i64>,
}

impl Run<'_> {
    fn node(&mut self, node: &Node, active: Option<&str>) {
        let number = self.parents.len();
        let of_explicit = |run: &Self, at: usize| {
            let of = at.checked_rem(run.open.len())?;
            run.open.get(of).cloned()
        };
        if node.kind == Kind::Scope {
            let name = format!("execute_tool {number}");
            let above = active.map(str::to_owned);
            self.parents.insert(name.clone(), above);
            let scope = self.recorder.tool(&number.to_string());
            scope.in_scope_infallible(|_| self.children(node, Some(&name)));
            return;
        }
        let name = format!("{:?} {number}", node.kind);
        let explicit = match node.parent {
            Parent::Explicit(at) => of_explicit(self, at),
            _ => None,
        };
        let above = explicit.as_ref().map(|(name, _)| name.clone());
        let above = above.or_else(|| active.map(str::to_owned));
        self.parents.insert(name.clone(), above);
        let parent = explicit.map(|(_, span)| span);
        let span = match (node.kind, node.parent, &parent) {
            (Kind::Plain, _, Some(parent)) => info_span!(parent: parent, "s", otel.name = name),
            (Kind::Plain, _, None) => info_span!("s", otel.name = name),
            (_, Parent::None, _) => {
                info_span!(parent: None, "chat", otel.name = name, gen_ai.operation.name = "chat", gen_ai.usage.input_tokens = Empty)
            }
            (_, _, Some(parent)) => {
                info_span!(parent: parent, "chat", otel.name = name, gen_ai.operation.name = "chat", gen_ai.usage.input_tokens = Empty)
            }
            (_, _, None) => {
                info_span!(
                    "chat",
                    otel.name = name,
                    gen_ai.operation.name = "chat",
                    gen_ai.usage.input_tokens = Empty
                )
            }
        };
        drop(parent);
        if node.kind == Kind::Plain {
            self.plain.insert(name.clone());
        }
        if let Some((_, other)) = node.follows.and_then(|at| of_explicit(self, at)) {
            span.follows_from(&other);
        }
        if !node.is_dropped {
            self.open.push((name.clone(), span.clone()));
        }
        if node.is_entered {
            span.in_scope(|| self.children(node, Some(&name)));
        } else {
            self.children(node, active);
        }
        if let Some(late) = node.late.filter(|_| node.kind == Kind::Agent) {
            span.record("gen_ai.usage.input_tokens", late);
            self.late.insert(name, late);
        }
    }

    fn children(&mut self, node: &Node, active: Option<&str>) {
        for child in &node.children {
            self.node(child, active);
        }
    }

    /// The spans that are exported: those of agents, and what is above them.
    fn exported(&self) -> BTreeSet<String> {
        let agents = self
            .parents
            .keys()
            .filter(|name| !self.plain.contains(*name));
        let mut exported = BTreeSet::new();
        for agent in agents {
            let mut next = Some(agent.clone());
            while let Some(name) = next {
                next = self.parents.get(&name).cloned().flatten();
                exported.insert(name);
            }
        }
        exported
    }
}

fn check(program: &[Node], order: &[usize]) {
    let recorder = Recorder::new();
    let mut run = Run {
        recorder: &recorder,
        open: Vec::new(),
        parents: BTreeMap::new(),
        plain: BTreeSet::new(),
        late: BTreeMap::new(),
    };
    recorder.run(|| {
        for node in program {
            run.node(node, None);
        }
        for at in order {
            if let Some(of) = at.checked_rem(run.open.len()) {
                run.open.swap_remove(of);
            }
        }
        run.open.clear();
    });
    assert!(!Context::map_current(Context::has_active_span));
    let spans = recorder.spans();
    let names: Vec<_> = spans.iter().map(|span| span.name.to_string()).collect();
    let unique: BTreeSet<_> = names.iter().cloned().collect();
    assert_eq!(unique.len(), names.len(), "{names:?}");
    assert_eq!(unique, run.exported(), "{program:?}");
    for span in &spans {
        let parent = run.parents[&*span.name].as_deref();
        let parent = parent.map(|name| recorder.named(name).span_context);
        let id = parent.as_ref().map_or(SpanId::INVALID, |it| it.span_id());
        assert_eq!(span.parent_span_id, id, "{} in {program:?}", span.name);
        if let Some(parent) = parent {
            assert_eq!(parent.trace_id(), span.span_context.trace_id());
        }
        if let Some(late) = run.late.get(&*span.name) {
            let found = value(span, "gen_ai.usage.input_tokens");
            assert_eq!(found, Some(Value::I64(*late)), "{}", span.name);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_span_of_a_random_program_has_the_parent_that_the_rules_give_it(
        program in vec(node(), 1..4),
        order in vec(0..16_usize, 0..8),
    ) {
        check(&program, &order);
    }
}
