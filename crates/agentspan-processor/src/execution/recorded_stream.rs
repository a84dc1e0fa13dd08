//! The stream of a model's answer that outlives the call.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::{Generation, OpenGeneration};
use crate::TraceError;
use crate::dispatch::report_unheard;

pin_project! {
    /// A stream whose items are recorded as the answer of a model. Made by [`OpenGeneration::record_stream`].
    #[must_use = "streams do nothing unless they are polled"]
    pub struct RecordedStream<S, F> {
        // Dropped in this order: the generation is still open while the stream is dropped.
        #[pin]
        stream: S,
        record: F,
        // None once the stream has ended.
        generation: Option<OpenGeneration>,
    }
}

impl<S, F> RecordedStream<S, F> {
    pub(super) fn new(stream: S, record: F, generation: OpenGeneration) -> Self {
        Self {
            stream,
            record,
            generation: Some(generation),
        }
    }
}

impl<S, F> Stream for RecordedStream<S, F>
where
    S: Stream,
    F: FnMut(&Generation, &S::Item) -> Result<(), TraceError>,
{
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let Some(generation) = this.generation.as_ref() else {
            return this.stream.poll_next(cx);
        };
        let entered = generation.enter();
        let polled = this.stream.poll_next(cx);
        match &polled {
            Poll::Ready(Some(item)) => report_unheard((this.record)(generation, item)),
            Poll::Ready(None) => {
                drop(entered);
                if let Some(generation) = this.generation.take() {
                    generation.finish_unheard();
                }
            }
            Poll::Pending => {}
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}

impl<S, F> fmt::Debug for RecordedStream<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedStream")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}
