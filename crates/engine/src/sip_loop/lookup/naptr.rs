//! Which transport a domain prefers (RFC 3263 §4.1, RFC 3403 §4.1).

use edge::sip::Transport;
use hickory_resolver::proto::rr::Name;
use hickory_resolver::proto::rr::rdata::NAPTR;

/// Finds the transports that a domain offers and we can speak, each with the name of its SRV records, the preferred one
/// first. Only records of the lowest order that has any such count; the others among them are for when servers fail.
pub(super) fn services(records: Vec<NAPTR>, can_speak: impl Fn(Transport) -> bool) -> Vec<(Transport, Name)> {
    let offered = records.into_iter().filter_map(|record| Some((transport(&record)?, record)));
    let mut spoken: Vec<_> = offered.filter(|(transport, _)| can_speak(*transport)).collect();
    spoken.sort_by_key(|(_, record)| (record.order, record.preference));
    let order = spoken.first().map(|(_, record)| record.order);
    let first = spoken.into_iter().take_while(|(_, record)| Some(record.order) == order);
    first.map(|(transport, record)| (transport, record.replacement)).collect()
}

/// `None` for what is no service of SIP that we know, or does not lead to SRV records.
fn transport(record: &NAPTR) -> Option<Transport> {
    let leads_to_srv = record.flags.eq_ignore_ascii_case(b"s") && record.regexp.is_empty();
    if !leads_to_srv || record.replacement.is_root() {
        return None;
    }
    match record.services.to_ascii_uppercase().as_slice() {
        b"SIP+D2U" => Some(Transport::Udp),
        b"SIP+D2T" => Some(Transport::Tcp),
        b"SIPS+D2T" => Some(Transport::Tls),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Transport::{Tcp, Tls, Udp};

    fn record(order: u16, preference: u16, service: &str, replacement: &str) -> NAPTR {
        naptr(order, preference, "s", service, "", replacement)
    }

    fn naptr(order: u16, preference: u16, flags: &str, service: &str, regexp: &str, replacement: &str) -> NAPTR {
        let text = |text: &str| text.as_bytes().into();
        let replacement = Name::from_ascii(replacement).expect("a name");
        NAPTR::new(order, preference, text(flags), text(service), text(regexp), replacement)
    }

    /// The example of RFC 3263 §4.1, in another order.
    fn example() -> Vec<NAPTR> {
        vec![
            record(100, 50, "SIP+D2U", "_sip._udp.example.com."),
            record(50, 50, "SIPS+D2T", "_sips._tcp.example.com."),
            record(90, 50, "SIP+D2T", "_sip._tcp.example.com."),
        ]
    }

    #[track_caller]
    fn check(records: Vec<NAPTR>, spoken: &[Transport], expected: &[(Transport, &str)]) {
        let found = services(records, |transport| spoken.contains(&transport));
        let found: Vec<_> = found.into_iter().map(|(transport, name)| (transport, name.to_string())).collect();
        let expected: Vec<_> = expected.iter().map(|(transport, name)| (*transport, (*name).to_owned())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn of_what_we_speak_the_lowest_order_counts() {
        check(example(), &[Udp, Tcp, Tls], &[(Tls, "_sips._tcp.example.com.")]);
        check(example(), &[Udp, Tcp], &[(Tcp, "_sip._tcp.example.com.")]);
        check(example(), &[Udp], &[(Udp, "_sip._udp.example.com.")]);
        check(example(), &[], &[]);
    }

    #[test]
    fn of_one_order_all_count_the_preferred_one_first() {
        let records =
            vec![record(1, 20, "sip+d2u", "u."), record(1, 10, "SIP+D2T", "t."), record(2, 1, "SIPS+D2T", "s.")];
        check(records, &[Udp, Tcp, Tls], &[(Tcp, "t."), (Udp, "u.")]);
    }

    #[test]
    fn what_does_not_lead_to_servers_of_sip_is_passed_over() {
        let records = vec![
            record(1, 1, "E2U+sip", "enum."),
            record(1, 2, "SIP+D2S", "sctp."),
            record(1, 3, "SIP+D2U", "."),
            naptr(1, 4, "u", "SIP+D2U", "", "flag."),
            naptr(1, 5, "s", "SIP+D2U", "!^.*$!sip:x@y!", "regexp."),
            naptr(2, 1, "S", "SIP+D2U", "", "good."),
        ];
        check(records, &[Udp, Tcp, Tls], &[(Udp, "good.")]);
    }
}
