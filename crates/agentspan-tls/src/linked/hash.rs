//! Hash functions.

use rustls::crypto::hash::{Context, Hash, HashAlgorithm, Output};

use super::backend::digest;

pub(super) static SHA256: Sha = Sha(&digest::SHA256, HashAlgorithm::SHA256);
pub(super) static SHA384: Sha = Sha(&digest::SHA384, HashAlgorithm::SHA384);

/// A hash function, and its number in TLS.
pub(super) struct Sha(&'static digest::Algorithm, HashAlgorithm);

impl Hash for Sha {
    fn start(&self) -> Box<dyn Context> {
        Box::new(Running(digest::Context::new(self.0)))
    }

    fn hash(&self, data: &[u8]) -> Output {
        Output::new(digest::digest(self.0, data).as_ref())
    }

    fn output_len(&self) -> usize {
        self.0.output_len()
    }

    fn algorithm(&self) -> HashAlgorithm {
        self.1
    }
}

struct Running(digest::Context);

impl Context for Running {
    fn fork_finish(&self) -> Output {
        Output::new(self.0.clone().finish().as_ref())
    }

    fn fork(&self) -> Box<dyn Context> {
        Box::new(Self(self.0.clone()))
    }

    fn finish(self: Box<Self>) -> Output {
        Output::new(self.0.finish().as_ref())
    }

    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }
}
