//! What a held participant is to hear.

/// The audio of a hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Prompt {
    /// The built-in music: no `customPrompt` was given.
    BuiltIn,
    /// A `mediaPrompt`: audio that the server fetches.
    Media {
        /// An absolute `http` or `https` URI (`mediaInfo.uri`).
        uri: String,
        /// The key under which the call's media is cached (`mediaInfo.resourceId`).
        resource_id: Option<String>,
    },
}

/// Why a prompt cannot be played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptFailure {
    /// What failed.
    pub kind: PromptFailureKind,
    /// One sentence for the bot's developer.
    pub message: String,
}

/// The step that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptFailureKind {
    /// The media could not be downloaded (Graph 400/8536).
    Download,
    /// The media was downloaded and is not what is wanted (Graph 400/8535).
    Format,
}
