//! How a phone behaves: what it does about the endpoint's news and its owner's orders, in SIP.

use std::time::{Duration, Instant};

use edge::dtls::Terms;
use edge::sdp::{Encryption, Negotiated};
use edge::sip::{
    Credentials, Destination, DialogKey, Event, HostPort, Invite, NameAddr, Registration, Replaces, SipUri, Status, Uri,
};
use media::Key;

use crate::agent::{Agent, REGISTRATION};
use crate::call::{Call, Ringing};
use crate::config::Answer;
use crate::manner::Offers;
use crate::state::State;
use crate::voice::Voice;

/// How long the phone lets others ring: what telephone networks do, three minutes (RFC 3261 §16.6, timer C).
const RING_TIMEOUT: Duration = Duration::from_secs(180);

/// How long the phone wants to be registered. It renews by itself; a phone that was killed is forgotten after this.
const REGISTRATION_EXPIRES: Duration = Duration::from_secs(300);

impl Agent {
    /// Does what an event asks for.
    pub(crate) fn take_news(&mut self, event: Event, now: Instant) {
        match event {
            Event::Incoming { dialog, body, .. } => self.ring(dialog, body, now),
            Event::Ringing { dialog } if self.is_ours(dialog) => self.show(State::Ringing),
            Event::Answered { dialog, body } if self.is_ours(dialog) => self.take_first_answer(dialog, &body, now),
            Event::Failed { dialog, status, .. } | Event::Redirected { dialog, status, .. } if self.is_ours(dialog) => {
                self.end(State::Failed(status));
            }
            Event::Ended { dialog, .. } if self.is_ours(dialog) => self.end(State::Ended),
            Event::Offered { dialog, body } => self.answer_offer(dialog, &body, now),
            Event::OfferWanted { dialog } => self.offer_now(dialog, now),
            Event::OfferedEarly { dialog, .. } => {
                self.endpoint.answer_early_offer(dialog, Err(Status::NOT_ACCEPTABLE_HERE), now);
            }
            Event::OfferAnswered { dialog, body } if self.is_ours(dialog) => self.take_answer(dialog, &body, now),
            Event::Refreshed { dialog, body } if self.is_ours(dialog) => self.take_refresh(&body, now),
            Event::OfferRefused { dialog, .. } if self.is_ours(dialog) => {
                self.call.iter_mut().for_each(Call::withdraw_offer);
            }
            Event::RegistrationChanged { state, .. } => {
                self.shared.change(|observation| observation.registration = Some(state));
            }
            Event::Disconnect { flow } => self.sockets.close(flow),
            Event::ReferProgress { status, .. } => {
                self.shared.change(|observation| observation.refer_status = Some(status));
            }
            // It transfers and is not transferred.
            Event::Referred { dialog, .. } => self.endpoint.answer_referral(dialog, Err(Status::DECLINE), now),
            // Of calls that are over for the phone, and of what only a registrar and a gateway need.
            Event::Ringing { .. }
            | Event::Answered { .. }
            | Event::Failed { .. }
            | Event::Redirected { .. }
            | Event::Ended { .. }
            | Event::OfferAnswered { .. }
            | Event::Refreshed { .. }
            | Event::OfferRefused { .. }
            | Event::Confirmed { .. }
            | Event::OfferedBefore { .. }
            | Event::Info { .. }
            | Event::Registered { .. }
            | Event::Unregistered { .. } => {}
        }
    }

    fn is_ours(&self, dialog: DialogKey) -> bool {
        self.call.as_ref().is_some_and(|call| call.dialog() == dialog)
    }

    /// Calls somebody, unless there is a call or the phone is being switched off.
    pub(crate) fn dial(&mut self, target: Uri, replaces: Option<Replaces>, now: Instant) {
        if self.call.is_some() || self.is_leaving() {
            return;
        }
        let dialog = self.new_dialog();
        let (call, offer) = Call::outgoing(dialog, self.describe(), self.describe_srtp(), self.manner);
        self.call = Some(call);
        self.show(State::Calling);
        let invite = Invite {
            target,
            destination: None,
            to: None,
            asserted: None,
            from: NameAddr::new(self.address_of_record()).named(&self.config.name),
            offer,
            credentials: self.credentials(),
            ring_timeout: RING_TIMEOUT,
            silence_max: None,
            replaces,
        };
        self.endpoint.invite(dialog, invite, now);
    }

    /// Asks the peer to call somebody instead.
    pub(crate) fn refer(&mut self, target: &SipUri, replaces: Option<&Replaces>, now: Instant) {
        if let Some(call) = &self.call {
            self.endpoint.refer(call.dialog(), target, replaces, now);
        }
    }

    /// Lets an incoming call ring, takes it or refuses it, as configured.
    fn ring(&mut self, dialog: DialogKey, offer: Vec<u8>, now: Instant) {
        if self.call.is_some() || self.is_leaving() {
            return self.endpoint.reject(dialog, Status::BUSY_HERE, now);
        }
        let answer_at = match self.config.answer {
            Answer::Reject(status) => return self.endpoint.reject(dialog, status, now),
            Answer::AtOnce => Some(now),
            Answer::After(delay) => Some(now + delay),
            Answer::Never => None,
        };
        let ringing = Ringing { offer, answer_at };
        self.call = Some(Call::incoming(dialog, self.describe(), self.describe_srtp(), ringing));
        self.show(State::Ringing);
        match self.config.answer {
            Answer::AtOnce => self.pick_up(now),
            Answer::After(_) | Answer::Never | Answer::Reject(_) => self.endpoint.ring(dialog, now),
        }
    }

    /// Takes the call that rings here.
    pub(crate) fn pick_up(&mut self, now: Instant) {
        let Some(call) = &mut self.call else { return };
        let Some(offer) = call.pick_up() else { return };
        let dialog = call.dialog();
        if offer.is_empty() {
            // The caller wants the phone's offer, and answers it in the ACK.
            let offer = call.offer_wanted(self.manner.level);
            return self.endpoint.accept(dialog, offer, now);
        }
        match call.answer(&offer, self.manner.level) {
            Ok(answer) => {
                self.endpoint.accept(dialog, answer, now);
                self.establish(now);
            }
            Err(_) => {
                self.endpoint.reject(dialog, Status::NOT_ACCEPTABLE_HERE, now);
                self.end(State::Failed(Status::NOT_ACCEPTABLE_HERE));
            }
        }
    }

    /// Hangs up, whatever stage the call is in.
    pub(crate) fn hang_up(&mut self, now: Instant) {
        let Some(call) = &self.call else { return };
        match call.rings_here() {
            true => self.endpoint.reject(call.dialog(), Status::BUSY_HERE, now),
            false => self.endpoint.hang_up(call.dialog(), now),
        }
    }

    /// Tells the peer of a key by INFO (RFC 6086).
    pub(crate) fn press_by_info(&mut self, key: Key, now: Instant) {
        let Some(call) = &self.call else { return };
        let body = format!("Signal={}\r\nDuration=100\r\n", key.as_char());
        self.endpoint.info(call.dialog(), "application/dtmf-relay", body.into_bytes(), now);
    }

    fn take_first_answer(&mut self, dialog: DialogKey, answer: &[u8], now: Instant) {
        if self.call.as_ref().is_some_and(Call::is_to_be_offered) {
            self.answer_offer(dialog, answer, now);
            return self.establish(now);
        }
        let Some(call) = &mut self.call else { return };
        match call.take_answer(answer) {
            Ok(()) => self.establish(now),
            // The call is up for SIP, so it ends with a BYE (RFC 3261 §13.2.2.4).
            Err(_) => {
                self.endpoint.hang_up(dialog, now);
                self.end(State::Failed(Status::NOT_ACCEPTABLE_HERE));
            }
        }
    }

    /// Answers a re-INVITE; one that is of no use is refused, and the call goes on as it was.
    fn answer_offer(&mut self, dialog: DialogKey, offer: &[u8], now: Instant) {
        let call = self.call.as_mut().filter(|call| call.dialog() == dialog);
        let level = self.manner.level;
        let answer = call.and_then(|call| call.answer(offer, level).ok());
        self.endpoint.answer_offer(dialog, answer.ok_or(Status::NOT_ACCEPTABLE_HERE), now);
        self.go_on(now);
    }

    /// Offers what the peer has asked for.
    fn offer_now(&mut self, dialog: DialogKey, now: Instant) {
        let call = self.call.as_mut().filter(|call| call.dialog() == dialog);
        let offer = call.map(|call| call.offer_wanted(self.manner.level));
        self.endpoint.answer_offer(dialog, offer.ok_or(Status::NOT_ACCEPTABLE_HERE), now);
    }

    fn take_refresh(&mut self, answer: &[u8], now: Instant) {
        // An answer of no use leaves the call as it was.
        let _ = self.call.as_mut().map(|call| call.take_refresh(answer));
        self.go_on(now);
    }

    fn take_answer(&mut self, dialog: DialogKey, answer: &[u8], now: Instant) {
        let Some(call) = &mut self.call else { return };
        if call.take_answer(answer).is_err() {
            self.endpoint.hang_up(dialog, now);
            return self.end(State::Failed(Status::NOT_ACCEPTABLE_HERE));
        }
        match self.voice {
            Some(_) => self.go_on(now),
            // It was the first answer, in the ACK.
            None => self.establish(now),
        }
    }

    /// Offers the hold the phone's owner wishes, if it is not in force and no other INVITE is under way; then it is
    /// to be tried again.
    pub(crate) fn offer_wish(&mut self, now: Instant) {
        let Some(call) = &mut self.call else { return };
        let Some(offer) = call.next_offer(self.manner) else { return };
        let sent = match self.manner.offers {
            Offers::ByReinvite | Offers::Late => self.endpoint.reinvite(call.dialog(), offer, now),
            Offers::ByUpdate => self.endpoint.update(call.dialog(), offer, now),
        };
        if sent.is_err() {
            call.postpone_offer();
        }
    }

    fn establish(&mut self, now: Instant) {
        let Some(negotiated) = self.call.as_ref().and_then(Call::negotiated) else { return };
        let speech = self.speech_in(negotiated.format.codec);
        let encryption = self.encryption();
        self.voice = Some(Voice::new(negotiated, encryption.as_ref(), speech, now));
        let dialog = self.call.as_ref().and_then(|call| self.endpoint.replaces(call.dialog()));
        self.shared.change(|observation| {
            observation.dialog = dialog;
            observation.refer_status = None;
            observation.hearing.begin_call();
            observation.established_at = Some(now);
        });
        self.show_negotiated(&negotiated);
        self.show(State::Established);
    }

    fn go_on(&mut self, now: Instant) {
        let Some(negotiated) = self.call.as_ref().and_then(Call::negotiated) else { return };
        let speech = self.speech_in(negotiated.format.codec);
        let encryption = self.encryption();
        if let Some(voice) = &mut self.voice {
            voice.renegotiate(negotiated, encryption.as_ref(), speech, now);
        }
        self.show_negotiated(&negotiated);
    }

    /// What the sound is to be encrypted with. An impostor does not have the certificate that it has told.
    fn encryption(&self) -> Option<Encryption> {
        let encryption = self.call.as_ref().and_then(Call::encryption).cloned();
        match (encryption, &self.impostor) {
            (Some(Encryption::Handshake(terms)), Some(certificate)) => {
                Some(Encryption::Handshake(Terms { certificate: certificate.clone(), ..terms }))
            }
            (encryption, _) => encryption,
        }
    }

    fn end(&mut self, state: State) {
        (self.call, self.voice) = (None, None);
        self.shared.change(|observation| observation.established_at = None);
        self.show(state);
    }

    fn show(&self, state: State) {
        self.shared.change(|observation| observation.state = state);
    }

    fn show_negotiated(&self, negotiated: &Negotiated) {
        let hold = self.call.as_ref().map(Call::hold).unwrap_or_default();
        let is_encrypted = self.voice.as_ref().is_some_and(Voice::is_encrypted);
        self.shared.change(|observation| {
            observation.is_encrypted = is_encrypted;
            observation.codec = Some(negotiated.format.codec);
            (observation.hold, observation.remote) = (hold, negotiated.remote);
            observation.is_held = negotiated.remote_hold;
        });
    }

    /// Registers, if the phone is to.
    pub(crate) fn register(&mut self) {
        let Some(register) = &self.config.register else { return };
        let registrar = HostPort::from(register.server);
        let registration = Registration {
            registrar: Uri::sip(None, registrar),
            destination: Some(Destination::Address { transport: self.config.transport, remote: register.server }),
            address_of_record: self.address_of_record(),
            credentials: self.credentials(),
            expires: REGISTRATION_EXPIRES,
        };
        self.endpoint.register(REGISTRATION, registration, Instant::now());
    }

    /// Takes the phone out of the registrar, if it is in.
    pub(crate) fn unregister(&mut self, now: Instant) {
        if self.config.register.is_some() {
            self.endpoint.unregister(REGISTRATION, now);
        }
    }

    /// Returns who the phone is: a user of its registrar, else its own address.
    fn address_of_record(&self) -> Uri {
        match &self.config.register {
            Some(register) => Uri::sip(Some(&register.user), HostPort::from(register.server)),
            None => Uri::sip(Some(&self.config.name), HostPort::from(self.local())),
        }
    }

    fn credentials(&self) -> Option<Credentials> {
        let register = self.config.register.as_ref()?;
        Some(Credentials { user: register.user.clone(), password: register.password.clone() })
    }
}
