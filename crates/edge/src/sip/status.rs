//! Response status codes (RFC 3261 §21).

use std::fmt;

/// A status code, 100 to 699.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(u16);

macro_rules! statuses {
    ($($name:ident = $code:literal $reason:literal;)*) => {
        impl Status {
            $(#[doc = concat!("`", $code, " ", $reason, "`")]
            pub const $name: Status = Status($code);)*

            /// Returns the reason phrase the RFCs recommend, or the name of the class.
            pub fn reason(self) -> &'static str {
                match self.0 {
                    $($code => $reason,)*
                    100..=199 => "Session Progress",
                    200..=299 => "OK",
                    300..=399 => "Redirection",
                    400..=499 => "Request Failure",
                    500..=599 => "Server Failure",
                    _ => "Global Failure",
                }
            }
        }
    };
}

statuses! {
    TRYING = 100 "Trying";
    RINGING = 180 "Ringing";
    SESSION_PROGRESS = 183 "Session Progress";
    OK = 200 "OK";
    ACCEPTED = 202 "Accepted";
    MOVED_TEMPORARILY = 302 "Moved Temporarily";
    BAD_REQUEST = 400 "Bad Request";
    UNAUTHORIZED = 401 "Unauthorized";
    FORBIDDEN = 403 "Forbidden";
    NOT_FOUND = 404 "Not Found";
    METHOD_NOT_ALLOWED = 405 "Method Not Allowed";
    NOT_ACCEPTABLE = 406 "Not Acceptable";
    PROXY_AUTHENTICATION_REQUIRED = 407 "Proxy Authentication Required";
    REQUEST_TIMEOUT = 408 "Request Timeout";
    MESSAGE_TOO_LARGE = 413 "Request Entity Too Large";
    UNSUPPORTED_MEDIA_TYPE = 415 "Unsupported Media Type";
    UNSUPPORTED_URI_SCHEME = 416 "Unsupported URI Scheme";
    BAD_EXTENSION = 420 "Bad Extension";
    SESSION_INTERVAL_TOO_SMALL = 422 "Session Interval Too Small";
    INTERVAL_TOO_BRIEF = 423 "Interval Too Brief";
    TEMPORARILY_UNAVAILABLE = 480 "Temporarily Unavailable";
    CALL_DOES_NOT_EXIST = 481 "Call/Transaction Does Not Exist";
    LOOP_DETECTED = 482 "Loop Detected";
    BUSY_HERE = 486 "Busy Here";
    REQUEST_TERMINATED = 487 "Request Terminated";
    NOT_ACCEPTABLE_HERE = 488 "Not Acceptable Here";
    REQUEST_PENDING = 491 "Request Pending";
    SERVER_INTERNAL_ERROR = 500 "Server Internal Error";
    NOT_IMPLEMENTED = 501 "Not Implemented";
    SERVICE_UNAVAILABLE = 503 "Service Unavailable";
    SERVER_TIMEOUT = 504 "Server Time-out";
    VERSION_NOT_SUPPORTED = 505 "Version Not Supported";
    DECLINE = 603 "Decline";
}

impl Status {
    /// Returns the status with this code, or `None` outside 100 to 699.
    pub fn new(code: u16) -> Option<Status> {
        (100..700).contains(&code).then_some(Status(code))
    }

    /// Returns the number.
    pub fn code(self) -> u16 {
        self.0
    }

    /// Tells whether more responses will follow (1xx).
    pub fn is_provisional(self) -> bool {
        self.0 < 200
    }

    /// Tells whether the request was granted (2xx).
    pub fn is_success(self) -> bool {
        (200..300).contains(&self.0)
    }

    /// Tells whether others are named who may be asked (3xx).
    pub fn is_redirection(self) -> bool {
        (300..400).contains(&self.0)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.reason())
    }
}
