//! Which server of a service is tried when (RFC 2782, RFC 3263 §4.2).

use edge::sip::Transport;
use fastrand::Rng;
use hickory_resolver::proto::rr::Name;
use hickory_resolver::proto::rr::rdata::SRV;

/// The transports whose servers are looked for where a domain says nothing of what it prefers. Encrypted if it can be, else
/// as RFC 3263 §4.1 has it where nothing is known.
pub(super) const TRANSPORTS: [Transport; 3] = [Transport::Tls, Transport::Udp, Transport::Tcp];

/// Returns the transport with the name of a domain's SRV records for it; `None` if that is too long for DNS.
pub(super) fn service(transport: Transport, domain: &Name) -> Option<(Transport, Name)> {
    let [service, protocol] = match transport {
        Transport::Udp => ["_sip", "_udp"],
        Transport::Tcp => ["_sip", "_tcp"],
        Transport::Tls => ["_sips", "_tcp"],
    };
    let name = domain.prepend_label(protocol).and_then(|name| name.prepend_label(service)).ok()?;
    Some((transport, name))
}

/// Puts servers in the order in which they are tried: by priority, and of equal ones each the sooner the more it weighs.
pub(super) fn in_order(mut records: Vec<SRV>, chance: &mut Rng) -> Vec<SRV> {
    // Those of weight 0 come first, so that they have a small chance.
    records.sort_by_key(|record| (record.priority, record.weight));
    let mut ordered = Vec::with_capacity(records.len());
    for equals in records.chunk_by(|a, b| a.priority == b.priority) {
        let mut left = equals.to_vec();
        while !left.is_empty() {
            ordered.push(left.remove(drawn(&left, chance)));
        }
    }
    ordered
}

/// Draws one by weight: the first at which the sum of the weights reaches a random number (RFC 2782, "Weight").
fn drawn(records: &[SRV], chance: &mut Rng) -> usize {
    let sums = records.iter().scan(0_u32, |sum, record| {
        *sum += u32::from(record.weight);
        Some(*sum)
    });
    let sums: Vec<u32> = sums.collect();
    let number = chance.u32(0..=sums.last().copied().unwrap_or(0));
    sums.partition_point(|sum| *sum < number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often something is drawn; what is counted then strays from what is expected by a few hundred at most.
    const DRAWS: usize = 10_000;

    fn record(priority: u16, weight: u16, target: &str) -> SRV {
        SRV::new(priority, weight, 5060, Name::from_ascii(target).expect("a name"))
    }

    fn targets(records: &[SRV], chance: &mut Rng) -> Vec<String> {
        in_order(records.to_vec(), chance).into_iter().map(|record| record.target.to_string()).collect()
    }

    /// How often `target` is tried first.
    fn first(records: &[SRV], target: &str) -> usize {
        let mut chance = Rng::with_seed(7);
        (0..DRAWS).filter(|_| targets(records, &mut chance)[0] == target).count()
    }

    #[test]
    fn priority_decides_and_nobody_is_left_out() {
        let records = [record(20, 100, "c"), record(10, 0, "a"), record(15, 65_535, "b"), record(20, 0, "d")];
        let mut chance = Rng::with_seed(1);
        for _ in 0..100 {
            let mut ordered = targets(&records, &mut chance);
            assert_eq!(ordered[..2], ["a", "b"]);
            ordered.sort();
            assert_eq!(ordered, ["a", "b", "c", "d"]);
        }
    }

    #[test]
    fn of_equal_priority_each_is_first_as_often_as_it_weighs() {
        let records = [record(1, 60, "heavy"), record(1, 30, "middle"), record(1, 10, "light")];
        for (target, percent) in [("heavy", 60), ("middle", 30), ("light", 10)] {
            let count = first(&records, target);
            assert!(count.abs_diff(DRAWS * percent / 100) < 300, "{target}: {count}");
        }
    }

    #[test]
    fn weight_0_has_a_small_chance() {
        let records = [record(1, 99, "heavy"), record(1, 0, "zero")];
        let count = first(&records, "zero");
        assert!((1..300).contains(&count), "{count}");
    }

    #[test]
    fn the_greatest_weights_add_up() {
        let records = vec![record(1, u16::MAX, "x"); 3_000];
        assert_eq!(in_order(records, &mut Rng::with_seed(3)).len(), 3_000);
    }

    #[test]
    fn a_service_is_named_by_its_transport() {
        let domain = Name::from_ascii("example.com").expect("a name");
        let named = |transport| service(transport, &domain).map(|(_, name)| name.to_string());
        assert_eq!(named(Transport::Udp).as_deref(), Some("_sip._udp.example.com"));
        assert_eq!(named(Transport::Tls).as_deref(), Some("_sips._tcp.example.com"));
    }
}
