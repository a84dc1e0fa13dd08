//! The media types of message parts.

use super::open_text::open_text;

open_text! {
    /// The media type of a message part, as defined by the GenAI semantic conventions.
    pub enum Modality {
        /// An image.
        Image = "image",
        /// A video.
        Video = "video",
        /// Audio.
        Audio = "audio",
    }
}
