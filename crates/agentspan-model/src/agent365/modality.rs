//! What kind of media a part of a message is.

use super::open_text::open_text;

open_text! {
    /// The media type of a part of a message, in the words of the GenAI semantic conventions.
    pub enum Modality {
        /// A picture.
        Image = "image",
        /// A film.
        Video = "video",
        /// Sound.
        Audio = "audio",
    }
}
