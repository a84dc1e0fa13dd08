//! A directory with a blueprint, agents of two tenants, and a clock that tests turn.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use agentspan_entra::clock::Clock;
use agentspan_entra::{Credential, Entra, EntraBuilder};
use agentspan_model::agent365::Identity;
use agentspan_testkit::{Entra as Service, Proof};

pub(crate) const TENANT: &str = "e3064512-cc6d-4703-be71-a2ecaecaa98a";
pub(crate) const OTHER_TENANT: &str = "f3064512-cc6d-4703-be71-a2ecaecaa98b";
pub(crate) const BLUEPRINT: &str = "a0000000-0000-0000-0000-0000000000b1";
pub(crate) const AGENT: &str = "a0000000-0000-0000-0000-00000000000a";
pub(crate) const OTHER_AGENT: &str = "a0000000-0000-0000-0000-00000000000c";
pub(crate) const USER: &str = "a0000000-0000-0000-0000-0000000000e1";
pub(crate) const PERSON: &str = "a0000000-0000-0000-0000-0000000000f1";
/// Characters that a form has to encode.
pub(crate) const SECRET: &str = "s3cret &=+%é~";

pub(crate) fn service() -> Service {
    Service::builder()
        .blueprint(BLUEPRINT, Proof::secret(SECRET))
        .agent(TENANT, AGENT, BLUEPRINT)
        .agent(OTHER_TENANT, OTHER_AGENT, BLUEPRINT)
        .agent_user(AGENT, USER, "weather@contoso.com")
        .consent(TENANT, AGENT)
        .start()
        .unwrap()
}

pub(crate) fn client(service: &Service) -> EntraBuilder {
    Entra::builder(BLUEPRINT, Credential::secret(SECRET)).with_loopback_endpoint(service.url())
}

pub(crate) fn identity() -> Identity {
    Identity::parse(TENANT, AGENT).unwrap()
}

/// A clock that stands until it is turned, and draws no lots.
#[derive(Clone, Debug)]
pub(crate) struct TestClock {
    now: Arc<Mutex<Instant>>,
    random: f64,
}

impl TestClock {
    pub(crate) fn with_random(random: f64) -> Self {
        Self {
            now: Arc::new(Mutex::new(Instant::now())),
            random,
        }
    }

    pub(crate) fn turn(&self, seconds: u64) {
        *self.now.lock().unwrap() += Duration::from_secs(seconds);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        *self.now.lock().unwrap()
    }

    fn random(&self) -> f64 {
        self.random
    }
}
