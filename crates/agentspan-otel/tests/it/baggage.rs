//! Collecting baggage and putting it into contexts.

use std::sync::Arc;

use agentspan_model::agent365::{AgentId, TenantId};
use agentspan_otel::baggage::{RequestBaggage, dropped_baggage_entries};
use agentspan_otel::{BaggageBuilder, ScopeFutureExt as _};
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;

fn entry(context: &Context, key: &str) -> Option<String> {
    context.baggage().get(key).map(ToString::to_string)
}

fn tenant(name: &str) -> RequestBaggage {
    BaggageBuilder::new().with_tenant_id(name).build()
}

#[test]
fn ids_numbers_and_missing_values_are_texts_as_the_reference_writes_them() {
    let tenant = TenantId::parse("t").unwrap();
    let baggage = BaggageBuilder::new()
        .with_tenant_id(&tenant)
        .with_agent_id(AgentId::parse("a").unwrap())
        .with_agent_name(None::<&str>)
        .with_caller_name(Some("Ada".to_owned()))
        .with_pairs([("truth", true)])
        .with_pairs([("float", 1e16)])
        .with_pairs([("whole", 2.0)])
        .with_pairs(vec![("n".to_owned(), Some(-3))])
        .build();
    let pairs: Vec<_> = baggage.pairs().collect();
    assert_eq!(
        pairs,
        [
            ("tenant.id", "t"),
            ("gen_ai.agent.id", "a"),
            ("gen_ai.caller.name", "Ada"),
            ("truth", "True"),
            ("float", "1e+16"),
            ("whole", "2.0"),
            ("n", "-3"),
        ]
    );
}

#[test]
fn a_guard_adds_to_the_current_baggage_and_gives_it_back() {
    let other = BaggageBuilder::new().with_agent_id("agent").build();
    let _outer = other.enter();
    {
        let _inner = tenant("inner").enter();
        let current = Context::current();
        assert_eq!(entry(&current, "tenant.id").as_deref(), Some("inner"));
        assert_eq!(entry(&current, "gen_ai.agent.id").as_deref(), Some("agent"));
    }
    assert_eq!(entry(&Context::current(), "tenant.id"), None);
}

#[test]
fn a_closure_runs_with_the_baggage() {
    let seen = tenant("t").in_baggage(|| entry(&Context::current(), "tenant.id"));
    assert_eq!(seen.as_deref(), Some("t"));
    assert_eq!(entry(&Context::current(), "tenant.id"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_future_takes_its_baggage_along_and_keeps_it_apart_from_others() {
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let work = async {
                tokio::task::yield_now().await;
                entry(&Context::current(), "tenant.id")
            };
            #[expect(clippy::disallowed_methods, reason = "the test is about tasks")]
            tokio::spawn(work.with_baggage(&tenant(&format!("tenant {n}"))))
        })
        .collect();
    for (n, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.await.unwrap(), Some(format!("tenant {n}")));
    }
}

#[test]
fn what_does_not_fit_is_left_out_and_counted_and_what_is_set_here_goes_first() {
    let crowd = (0..64).map(|n| (format!("key{n}"), "x"));
    let context = BaggageBuilder::new()
        .with_pairs(crowd)
        .build()
        .to_context(&Context::new());
    assert_eq!(context.baggage().len(), 64);
    let before = dropped_baggage_entries();
    let context = BaggageBuilder::new()
        .with_tenant_id("t")
        .with_agent_id("a")
        .with_pairs([("no token", "x"), ("", "y")])
        .with_pairs([("long", "l".repeat(8192))])
        .build()
        .to_context(&context);
    assert_eq!(entry(&context, "tenant.id").as_deref(), Some("t"));
    assert_eq!(entry(&context, "gen_ai.agent.id").as_deref(), Some("a"));
    assert_eq!(context.baggage().len(), 64);
    // Three that never fit, and two of the crowd. Other tests of this process count as well.
    assert!(dropped_baggage_entries() >= before + 5);
}

#[test]
fn debug_shows_keys_and_no_values() {
    let builder = BaggageBuilder::new().with_caller_name("canary");
    let text = format!("{builder:?} {:?}", builder.clone().build());
    assert!(text.contains("gen_ai.caller.name"));
    assert!(!text.contains("canary"), "{text}");
}

#[test]
fn baggage_that_is_entered_again_and_again_keeps_no_context_that_was() {
    /// Counts those of its kind that live.
    struct Counted(Arc<()>);
    let enter_often = || {
        let alive = Arc::new(());
        let both = [tenant("t"), tenant("other")];
        let mut context = Context::new();
        for turn in 0..100_000 {
            context = context.with_value(Counted(Arc::clone(&alive)));
            // The same tenant twice, and then the other one.
            context = both[turn / 2 % 2].to_context(&context);
        }
        assert!(
            Arc::strong_count(&alive) <= 3,
            "{}",
            Arc::strong_count(&alive)
        );
        assert!(
            context
                .get::<Counted>()
                .is_some_and(|it| Arc::ptr_eq(&it.0, &alive))
        );
        entry(&context, "tenant.id")
    };
    let small = std::thread::Builder::new().stack_size(128 * 1024);
    let last = small.spawn(enter_often).unwrap().join().unwrap();
    assert_eq!(last.as_deref(), Some("other"));
}
