//! One SIP message: what can be read can be written, and reads the same again.

use edge::sip::Message;

pub(crate) fn run(bytes: &[u8]) {
    if let Ok(message) = Message::parse(bytes) {
        let again = Message::parse(&message.to_bytes());
        assert_eq!(again.as_ref(), Ok(&message), "written and read again it is another");
    }
}
