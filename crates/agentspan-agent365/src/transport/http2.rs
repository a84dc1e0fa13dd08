//! HTTP/2, which gRPC needs.

use super::{MAX_HEAD_BYTES, Transport};

impl Transport {
    /// Speaks HTTP/2 and nothing else: agreed on by TLS over https, and without asking over http. Needs the
    /// feature `http2`.
    #[must_use]
    pub fn over_http2(mut self) -> Self {
        let head = u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX);
        self.settings
            .http2_only(true)
            .http2_max_header_list_size(head);
        self.is_http2 = true;
        self
    }
}
