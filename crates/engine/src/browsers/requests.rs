//! What pages ask for: to answer, to decline, to change a session, to leave.

use super::{OpenBrowser, Served, TooManyBrowsers};
use crate::engine::Engine;
use crate::sip_loop::LegAddress;
use crate::worker::{BrowserWish, Fact, Job};
use call::ParticipantId;
use edge::webrtc::{Browser, OfferError, Settings};
use std::net::SocketAddr;
use std::time::Instant;
use tokio::sync::oneshot;

/// Why a page does not get what it asks for.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// Nobody calls the user by this name, or not any more; or the user is in no such call.
    #[error("there is no such call for this user")]
    NotFound,
    /// The offer cannot be answered.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// Too much waits already.
    #[error("the media worker is busy")]
    Busy,
    /// There is no port for browsers.
    #[error("the server takes no browsers")]
    NotServed,
}

impl Engine {
    /// Opens a browser of a user: it rings when the user is called.
    ///
    /// # Errors
    ///
    /// [`TooManyBrowsers`].
    pub fn open_browser(&self, user: &str) -> Result<OpenBrowser, TooManyBrowsers> {
        self.bells.open(user)
    }

    /// Where browsers send their sound, if they are served.
    #[must_use]
    pub fn browser_address(&self) -> Option<SocketAddr> {
        self.browsers.as_ref().map(|served| served.settings.address())
    }

    /// Answers a call that rings for a user in a browser, whose offer this is. Returns the answer to it. The user is in the
    /// roster when the browser has connected.
    ///
    /// # Errors
    ///
    /// [`BrowserError`]; it goes on ringing then.
    pub async fn answer_in_browser(
        &self,
        user: &str,
        participant: ParticipantId,
        offer: String,
    ) -> Result<String, BrowserError> {
        let Served { settings, .. } = self.browsers.clone().ok_or(BrowserError::NotServed)?;
        let call = self.bells.ringing(user, participant).ok_or(BrowserError::NotFound)?;
        let (browser, answer) = accept(settings, offer).await?;
        let (reply, taken) = oneshot::channel();
        let worker = call.leg.worker;
        let job = Job::AnswerInBrowser { call, browser: Box::new(browser), reply };
        self.workers[worker].send(job).map_err(|_| BrowserError::Busy)?;
        answered(taken).await.map(|()| answer)
    }

    /// Goes on in another session with a leg that a user has in a browser: a page that was reloaded. Returns the answer to
    /// its offer. The user stays in the roster.
    ///
    /// # Errors
    ///
    /// [`BrowserError`]; the leg goes on as it was then.
    pub async fn reconnect_browser(
        &self,
        user: &str,
        participant: ParticipantId,
        offer: String,
    ) -> Result<String, BrowserError> {
        let Served { settings, .. } = self.browsers.clone().ok_or(BrowserError::NotServed)?;
        let leg = self.bells.leg(user, participant).ok_or(BrowserError::NotFound)?;
        let (browser, answer) = accept(settings, offer).await?;
        let (reply, taken) = oneshot::channel();
        let job = Job::ReconnectBrowser { leg, browser: Box::new(browser), reply };
        self.workers[leg.worker].send(job).map_err(|_| BrowserError::Busy)?;
        answered(taken).await.map(|()| answer)
    }

    /// Declines a call that rings for a user in its browsers.
    ///
    /// # Errors
    ///
    /// [`BrowserError::NotFound`].
    pub fn decline_in_browser(&self, user: &str, participant: ParticipantId) -> Result<(), BrowserError> {
        let call = self.bells.ringing(user, participant).ok_or(BrowserError::NotFound)?;
        self.tell_leg(call.leg, BrowserWish::Decline);
        Ok(())
    }

    /// Answers another offer of a browser's: an ICE restart, or a hold of the user's own.
    ///
    /// # Errors
    ///
    /// [`BrowserError`].
    pub async fn renegotiate_browser(
        &self,
        user: &str,
        participant: ParticipantId,
        offer: String,
    ) -> Result<String, BrowserError> {
        let leg = self.bells.leg(user, participant).ok_or(BrowserError::NotFound)?;
        let (reply, answer) = oneshot::channel();
        let job = Job::RenegotiateBrowser { leg, offer, reply };
        self.workers[leg.worker].send(job).map_err(|_| BrowserError::Busy)?;
        answer.await.map_err(|_| BrowserError::Busy)?
    }

    /// Lets a user who is in a call by a browser leave it.
    ///
    /// # Errors
    ///
    /// [`BrowserError::NotFound`].
    pub fn leave_in_browser(&self, user: &str, participant: ParticipantId) -> Result<(), BrowserError> {
        let leg = self.bells.leg(user, participant).ok_or(BrowserError::NotFound)?;
        self.tell_leg(leg, BrowserWish::Leave);
        Ok(())
    }

    fn tell_leg(&self, leg: LegAddress, wish: BrowserWish) {
        let LegAddress { worker, conversation, participant } = leg;
        self.workers[worker].tell(Fact::Browser { conversation, participant, wish });
    }
}

async fn answered(taken: oneshot::Receiver<bool>) -> Result<(), BrowserError> {
    match taken.await {
        Ok(true) => Ok(()),
        Ok(false) => Err(BrowserError::NotFound),
        Err(_) => Err(BrowserError::Busy),
    }
}

/// Makes a session beside the runtime: it takes some milliseconds of computing.
async fn accept(settings: Settings, offer: String) -> Result<(Browser, String), BrowserError> {
    let accept = move || Browser::accept(&settings, &offer, Instant::now());
    // It is cancelled only when the runtime stops.
    Ok(tokio::task::spawn_blocking(accept).await.map_err(|_| BrowserError::Busy)??)
}
