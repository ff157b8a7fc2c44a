//! Random texts that are good for a while: sessions and codes.

use std::collections::HashMap;
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Is what a ticket is kept under. The ticket itself is known to its holder only.
type Mark = [u8; 32];

/// Is the tickets of one kind that are out. Times are seconds since 1970.
#[derive(Debug)]
pub(super) struct Tickets<T> {
    lifetime_s: i64,
    count_max: usize,
    kept: Mutex<HashMap<Mark, Kept<T>>>,
}

#[derive(Debug)]
struct Kept<T> {
    value: T,
    expires: i64,
}

impl<T: Clone> Tickets<T> {
    pub(super) fn new(lifetime_s: i64, count_max: usize) -> Tickets<T> {
        Tickets { lifetime_s, count_max, kept: Mutex::default() }
    }

    /// Issues a ticket for a value. Beyond the most there may be, the oldest becomes void.
    pub(super) fn issue(&self, value: T, now: i64) -> String {
        let ticket = random();
        let mut kept = self.kept.lock().expect("nothing panics while it holds the tickets");
        if kept.len() >= self.count_max {
            kept.retain(|_, kept| kept.expires > now);
        }
        if kept.len() >= self.count_max {
            let oldest = kept.iter().min_by_key(|(_, kept)| kept.expires).map(|(mark, _)| *mark);
            oldest.and_then(|mark| kept.remove(&mark));
        }
        kept.insert(mark(&ticket), Kept { value, expires: now + self.lifetime_s });
        ticket
    }

    /// Returns what a ticket stands for, while it is good.
    pub(super) fn find(&self, ticket: &str, now: i64) -> Option<T> {
        let kept = self.kept.lock().expect("nothing panics while it holds the tickets");
        kept.get(&mark(ticket)).filter(|kept| kept.expires > now).map(|kept| kept.value.clone())
    }

    /// Does the same, and the ticket is good no longer.
    pub(super) fn take(&self, ticket: &str, now: i64) -> Option<T> {
        let mut kept = self.kept.lock().expect("nothing panics while it holds the tickets");
        kept.remove(&mark(ticket)).filter(|kept| kept.expires > now).map(|kept| kept.value)
    }
}

/// 244 random bits; RFC 6749, section 10.10, wants 160.
fn random() -> String {
    let halves = [Uuid::new_v4(), Uuid::new_v4()].map(Uuid::into_bytes);
    URL_SAFE_NO_PAD.encode(halves.concat())
}

fn mark(ticket: &str) -> Mark {
    Sha256::digest(ticket.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_until_it_is_taken_or_expires() {
        let tickets = Tickets::new(60, 10);
        let (first, second) = (tickets.issue("a", 0), tickets.issue("b", 0));
        assert_ne!(first, second);
        assert_eq!(tickets.find(&first, 59), Some("a"));
        assert_eq!([tickets.take(&first, 59), tickets.take(&first, 59)], [Some("a"), None]);
        assert_eq!([tickets.find(&second, 60), tickets.take(&second, 60)], [None, None]);
        assert_eq!(tickets.find("anything", 0), None);
    }

    #[test]
    fn the_newest_always_has_a_place() {
        let tickets = Tickets::new(60, 2);
        let issued = [0, 1, 2].map(|now| tickets.issue(now, now));
        assert_eq!(issued.each_ref().map(|ticket| tickets.find(ticket, 3)), [None, Some(1), Some(2)]);
        tickets.issue(70, 70);
        assert_eq!(tickets.kept.lock().expect("the tickets").len(), 1, "what has expired is forgotten first");
    }
}
