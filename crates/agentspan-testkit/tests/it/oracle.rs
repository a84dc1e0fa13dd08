//! The oracle tells taken spans from lost, doubled and foreign ones.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex};

use agentspan_model::agent365::Profile;
use agentspan_testkit::{Account, Answer, Ledger, Oracle, Recording, Service, hostile_ids};

use crate::client::{connect, read};

const ORACLE: fn() -> Oracle = || Oracle::new(2);

/// Posts spans as `agent` with its token, and reads until something or the end comes.
fn post(service: &Service, agent: usize, spans: &[usize], with_canaries: bool) {
    let mut body = String::new();
    for &span in spans {
        body += &match with_canaries {
            true => format!("{:?}", ORACLE().attributes(Profile::V0_1, span)),
            false => ORACLE().mark(span),
        };
    }
    let agent = Oracle::agent(agent);
    let head = format!(
        "POST /maven/agent365/agents/{agent}/traces HTTP/1.1\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
        Oracle::token(&agent),
        body.len()
    );
    let mut stream = connect(service.addr());
    stream.write_all((head + &body).as_bytes()).unwrap();
    read(&mut stream, 12);
}

fn account(answers: Vec<Answer>, posts: &[(usize, &[usize], bool)]) -> Account {
    let service = Service::builder().script(answers).start().unwrap();
    for (agent, spans, with_canaries) in posts {
        post(&service, *agent, spans, *with_canaries);
    }
    ORACLE().account(&service.requests())
}

#[test]
fn only_what_was_answered_with_2xx_is_taken() {
    let answers = vec![Answer::status(503), Answer::status(200)];
    let found = account(answers, &[(0, &[0, 2], true), (0, &[2, 4], true)]);
    assert_eq!((found.taken, found.canaries), (2, 2));
    assert_eq!((found.taken_twice, found.perhaps_twice), (0, 0));
}

#[test]
fn what_is_taken_twice_is_counted_and_what_may_be_too() {
    let answers = vec![Answer::status(200)];
    let found = account(answers, &[(1, &[1], false), (1, &[1, 3], false)]);
    assert_eq!((found.taken, found.taken_twice), (2, 1));
    assert_eq!((found.perhaps_twice, found.canaries), (0, 0));
    let answers = vec![Answer::reset(), Answer::status(200)];
    let found = account(answers, &[(1, &[1], false), (1, &[1], false)]);
    assert_eq!((found.taken_twice, found.perhaps_twice), (0, 1));
}

#[test]
fn a_ledger_accounts_for_requests_that_are_not_kept() {
    let ledger = Arc::new(Mutex::new(Ledger::new(ORACLE())));
    let noted = Arc::clone(&ledger);
    let service = Service::builder()
        .script([Answer::reset(), Answer::status(200)])
        .recording(Recording::CountsOnly)
        .watch_with(move |request| noted.lock().unwrap().note(request))
        .start()
        .unwrap();
    post(&service, 1, &[1], true);
    post(&service, 1, &[1, 3], true);
    assert!(service.requests().is_empty());
    let ledger = ledger.lock().unwrap();
    let found = ledger.account();
    assert_eq!((found.taken, found.canaries), (2, 2));
    assert_eq!((found.perhaps, found.perhaps_twice), (1, 1));
    assert_eq!((found.taken_twice, found.foreign), (0, 0));
}

#[test]
fn identities_come_and_go() {
    let oracle = Oracle::coming_and_going(4, 2, 10);
    let of_tens = |n: usize| [n, n + 1].map(|number| oracle.identity(number));
    assert_eq!(
        [0, 10, 20, 30].map(of_tens),
        [[0, 1], [1, 2], [2, 3], [3, 0]]
    );
}

#[test]
fn each_hostile_id_is_an_agent_a_tenant_and_both() {
    let ids = Oracle::HOSTILE..Oracle::HOSTILE + Oracle::hostile_identities();
    let ids: BTreeSet<_> = ids
        .map(|id| (Oracle::tenant(id), Oracle::agent(id)))
        .collect();
    assert_eq!(ids.len(), 3 * hostile_ids().len());
}

#[test]
fn a_span_in_a_request_of_another_identity_is_foreign() {
    let found = account(vec![Answer::status(500)], &[(0, &[0, 1], false)]);
    assert_eq!((found.foreign, found.taken), (1, 0));
}
