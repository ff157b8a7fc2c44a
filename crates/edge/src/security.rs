//! What the packets of one socket go through: nothing, SRTP with keys that were told, or SRTP with keys of a handshake.
//!
//! As long as a handshake is not over nothing goes through, in neither direction.

use std::time::Instant;

use crate::dtls::{Association, Status, Terms};
use crate::sdp::Encryption;
use crate::srtp::{Protection, SrtpError, Suite};

/// The encryption of what is sent and received by one socket, as offer and answer have agreed on it.
#[derive(Debug)]
pub enum Security {
    /// Nothing is encrypted.
    Clear,
    /// With keys that both sides have told.
    Told(Box<Protection>),
    /// With keys of a handshake.
    Handshake(Box<Handshake>),
}

/// An association, and the terms on which it is made.
#[derive(Debug)]
pub struct Handshake {
    terms: Terms,
    association: Association,
}

impl Security {
    /// Takes in what offer and answer say. What is the same goes on as it was.
    pub fn agree(&mut self, encryption: Option<&Encryption>, now: Instant) {
        match (encryption, &mut *self) {
            (Some(Encryption::Keys(keys)), Security::Told(protection)) => protection.rekey(keys),
            (Some(Encryption::Keys(keys)), _) => *self = Security::Told(Box::new(Protection::new(keys))),
            (Some(Encryption::Handshake(terms)), Security::Handshake(handshake)) if handshake.terms == *terms => {}
            (Some(Encryption::Handshake(terms)), _) => {
                let association = Association::new(terms, now);
                *self = Security::Handshake(Box::new(Handshake { terms: terms.clone(), association }));
            }
            (None, _) => *self = Security::Clear,
        }
    }

    /// Returns how far the keys are; those that were told, and none, are there.
    pub fn status(&self) -> Status {
        match self {
            Security::Clear | Security::Told(_) => Status::Keyed,
            Security::Handshake(handshake) => handshake.association.status(),
        }
    }

    /// Returns whether packets prove whose they are.
    pub fn is_encrypted(&self) -> bool {
        match self {
            Security::Clear => false,
            Security::Told(_) | Security::Handshake(_) => true,
        }
    }

    /// Returns what packets are encrypted with, as soon as there are keys.
    pub fn suite(&self) -> Option<Suite> {
        match self {
            Security::Clear => None,
            Security::Told(protection) => Some(protection.suite()),
            Security::Handshake(handshake) => handshake.association.suite(),
        }
    }

    /// Returns a packet as it is to be sent, by way of `out`.
    ///
    /// # Errors
    ///
    /// If it must not be sent: there is no key yet, or none any more.
    pub fn protect<'a>(&mut self, packet: &'a [u8], out: &'a mut Vec<u8>) -> Result<&'a [u8], SrtpError> {
        match self {
            Security::Clear => return Ok(packet),
            Security::Told(protection) => protection.protect(packet, out)?,
            Security::Handshake(handshake) => handshake.association.protect(packet, out)?,
        }
        Ok(out)
    }

    /// Returns a packet as it was before its sender encrypted it, by way of `out`.
    ///
    /// # Errors
    ///
    /// If it must not be looked at: it is not authentic, came before, or came before there is a key.
    pub fn unprotect<'a>(&mut self, packet: &'a [u8], out: &'a mut Vec<u8>) -> Result<&'a [u8], SrtpError> {
        match self {
            Security::Clear => return Ok(packet),
            Security::Told(protection) => protection.unprotect(packet, out)?,
            Security::Handshake(handshake) => handshake.association.unprotect(packet, out)?,
        }
        Ok(out)
    }

    /// Returns the terms of the handshake that makes the keys, if one does.
    pub fn terms(&self) -> Option<&Terms> {
        match self {
            Security::Handshake(handshake) => Some(&handshake.terms),
            Security::Clear | Security::Told(_) => None,
        }
    }

    /// Returns the handshake that makes the keys, if one does.
    pub fn association(&mut self) -> Option<&mut Association> {
        match self {
            Security::Handshake(handshake) => Some(&mut handshake.association),
            Security::Clear | Security::Told(_) => None,
        }
    }

    /// Returns when [`Association::expire`] is to be called next.
    pub fn deadline(&self) -> Option<Instant> {
        match self {
            Security::Handshake(handshake) => handshake.association.deadline(),
            Security::Clear | Security::Told(_) => None,
        }
    }
}
