//! What a final status means: for the call, and for those who may be asked instead.

use call::Unreached;
use edge::sip::Status;

/// What a final status means for the call.
pub(super) fn unreached(status: Status) -> Unreached {
    match status.code() {
        486 | 600 => Unreached::Busy,
        603 => Unreached::Declined,
        408 | 480 | 487 => Unreached::NoAnswer,
        488 | 606 => Unreached::NotAcceptable,
        code => Unreached::Status(code),
    }
}

/// The final status that says this to somebody else.
pub(super) fn status(cause: Unreached) -> Status {
    match cause {
        Unreached::Busy => Status::BUSY_HERE,
        Unreached::Declined => Status::DECLINE,
        Unreached::Forbidden => Status::FORBIDDEN,
        Unreached::NotAcceptable | Unreached::NotSecured => Status::NOT_ACCEPTABLE_HERE,
        Unreached::NoEndpoint
        | Unreached::NoAnswer
        | Unreached::NotReleased
        | Unreached::Withdrawn
        | Unreached::NotConfirmed
        | Unreached::NotConnected => Status::TEMPORARILY_UNAVAILABLE,
        Unreached::Status(code) => Status::new(code).unwrap_or(Status::TEMPORARILY_UNAVAILABLE),
    }
}

/// Whether a status says that the phone cannot take what it was offered.
pub(super) fn cannot_take_offer(status: Status) -> bool {
    matches!(unreached(status), Unreached::NotAcceptable) || status == Status::UNSUPPORTED_MEDIA_TYPE
}

/// Whether a status is about the server that was asked, so that another one may do better: it is silent (408), it is out
/// of order (5xx, with 503 also for one that is not reached), or it does not take our word for who we are (401, 407).
/// Everything else is about the callee, and stays so whoever is asked.
pub(super) fn is_about_server(status: Status) -> bool {
    matches!(status.code(), 401 | 407 | 408 | 500..=599)
}

/// Which of two reasons says more: what a person did, before what a phone said, before silence.
pub(crate) fn better(a: Unreached, b: Unreached) -> Unreached {
    let rank = |cause: &Unreached| match cause {
        Unreached::Declined => 0,
        Unreached::Busy => 1,
        Unreached::NotAcceptable
        | Unreached::NotSecured
        | Unreached::Forbidden
        | Unreached::NotConnected
        | Unreached::Status(_) => 2,
        Unreached::NoAnswer | Unreached::Withdrawn | Unreached::NotConfirmed => 3,
        Unreached::NoEndpoint | Unreached::NotReleased => 4,
    };
    if rank(&b) < rank(&a) { b } else { a }
}
