//! `Replaces`: an INVITE that takes the place of another dialog (RFC 3891).

use std::fmt;
use std::str::FromStr;

use super::dialog::DialogId;
use super::endpoint::Endpoint;
use super::event::DialogKey;
use super::header::Name;
use super::received::Received;
use super::session::Phase;
use super::status::Status;
use super::text::Parameters;

/// The option tag (RFC 3891 §8.2).
pub(super) const OPTION: &str = "replaces";

/// The dialog whose place is to be taken, as the one who has it sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Replaces {
    call_id: String,
    /// The tag of the one who gets the INVITE.
    to_tag: String,
    /// The tag of the one whose place is taken.
    from_tag: String,
    /// Whether only a call that is not answered yet may be replaced.
    early_only: bool,
}

/// A `Replaces` that does not name a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Replaces does not name a Call-ID and two tags")]
pub struct ReplacesError;

impl FromStr for Replaces {
    type Err = ReplacesError;

    fn from_str(text: &str) -> Result<Replaces, ReplacesError> {
        let (call_id, rest) = text.split_once(';').ok_or(ReplacesError)?;
        let parameters = Parameters::parse(rest);
        let tag = |name| parameters.value(name).filter(|tag| !tag.is_empty()).map(str::to_owned).ok_or(ReplacesError);
        let call_id = call_id.trim();
        if call_id.is_empty() || call_id.contains(char::is_whitespace) {
            return Err(ReplacesError);
        }
        Ok(Replaces {
            call_id: call_id.to_owned(),
            to_tag: tag("to-tag")?,
            from_tag: tag("from-tag")?,
            early_only: parameters.contains("early-only"),
        })
    }
}

impl fmt::Display for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Replaces { call_id, to_tag, from_tag, early_only } = self;
        write!(f, "{call_id};to-tag={to_tag};from-tag={from_tag}")?;
        if *early_only { write!(f, ";early-only") } else { Ok(()) }
    }
}

impl Endpoint {
    /// Returns what names a dialog of ours to its peer: for the INVITE of somebody who is to take our place in it.
    pub fn replaces(&self, dialog: DialogKey) -> Option<Replaces> {
        let DialogId { call_id, local_tag, remote_tag } = self.sessions.get(&dialog)?.dialog.as_ref()?.id();
        Some(Replaces { call_id, to_tag: remote_tag, from_tag: local_tag, early_only: false })
    }

    /// Finds the call whose place an INVITE is to take; `Ok(None)` if it takes nobody's. Calls that are not answered yet are
    /// nobody's to take.
    ///
    /// # Errors
    ///
    /// The answer that RFC 3891 §3 wants.
    pub(super) fn replaced_by(&self, received: &Received) -> Result<Option<DialogKey>, Status> {
        let mut fields = received.request.headers.all(&Name::Replaces);
        let Some(field) = fields.next() else { return Ok(None) };
        let replaces: Replaces = field.parse().map_err(|_| Status::BAD_REQUEST)?;
        if fields.next().is_some() {
            return Err(Status::BAD_REQUEST);
        }
        let Replaces { call_id, to_tag, from_tag, early_only } = replaces;
        let id = DialogId { call_id, local_tag: to_tag, remote_tag: from_tag };
        let key = self.dialogs.get(&id).copied().ok_or(Status::CALL_DOES_NOT_EXIST)?;
        match self.sessions.get(&key).map(|session| &session.phase) {
            Some(Phase::Established) if early_only => Err(Status::BUSY_HERE),
            Some(Phase::Established) => Ok(Some(key)),
            Some(Phase::Ending) => Err(Status::DECLINE),
            Some(Phase::Calling(_) | Phase::Canceling(_) | Phase::Invited(_)) | None => {
                Err(Status::CALL_DOES_NOT_EXIST)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaces_is_read_and_written() {
        let text = "425928@bobster.example.org;to-tag=7743;from-tag=6472";
        let replaces: Replaces = "425928@bobster.example.org ; to-tag=7743;x=y; from-tag=6472".parse().unwrap();
        assert_eq!(replaces.to_string(), text);
        let early: Replaces = format!("{text};early-only").parse().unwrap();
        assert!(early.early_only && early.to_string().ends_with(";early-only"));
    }

    #[test]
    fn what_does_not_name_a_dialog_is_none() {
        for text in ["", "a", ";to-tag=1;from-tag=2", "a;to-tag=1", "a;to-tag=;from-tag=2", "a b;to-tag=1;from-tag=2"] {
            assert_eq!(text.parse::<Replaces>(), Err(ReplacesError), "{text:?}");
        }
    }
}
