//! The oracle tells taken spans from lost, doubled and foreign ones.

use std::io::Write;

use agentspan_model::agent365::Profile;
use agentspan_testkit::{Account, Answer, Oracle, Service};

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
fn a_span_in_a_request_of_another_identity_is_foreign() {
    let found = account(vec![Answer::status(500)], &[(0, &[0, 1], false)]);
    assert_eq!((found.foreign, found.taken), (1, 0));
}
