//! Which addresses are public, and how a rule is read: without a socket. What is really asked is tried in `graph`, for
//! every purpose.

use std::net::IpAddr;

use engine::outgoing::{HttpUri, PlainHttp, Rule, UriError, is_public};

#[test]
fn what_is_public() {
    for address in
        ["1.1.1.1", "172.32.0.1", "100.128.0.1", "198.20.0.1", "2001:200::1", "2606:4700::1111", "2a00:1450::1"]
    {
        assert!(is_public(ip(address)), "{address} is public");
    }
    for address in ["::ffff:1.1.1.1", "64:ff9b::1.1.1.1"] {
        assert!(is_public(ip(address)), "{address} carries a public one");
    }
}

#[test]
fn what_is_not_public() {
    let v4 = [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.9",
        "192.0.0.170",
        "192.0.0.192",
        "192.0.2.1",
        "192.31.196.1",
        "192.52.193.1",
        "192.88.99.1",
        "192.168.1.1",
        "192.175.48.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
    ];
    let v6 = [
        "::",
        "::1",
        "::127.0.0.1",
        "100::1",
        "100:0:0:1::1",
        "64:ff9b:1::1",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fec0::1",
        "ff02::1",
        "2001::1",
        "2001:1::1",
        "2001:2::1",
        "2001:3::1",
        "2001:4:112::1",
        "2001:10::1",
        "2001:20::1",
        "2001:30::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:101:101::",
        "2620:4f:8000::1",
        "3fff::1",
        "5f00::1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::10.0.0.1",
        "64:ff9b::169.254.169.254",
    ];
    for address in v4.into_iter().chain(v6) {
        assert!(!is_public(ip(address)), "{address} is not public");
    }
}

#[track_caller]
fn check(rule: &Rule, uri: &str, expected: Result<(), &str>) {
    let checked = rule.parse(uri).map(|_| ()).map_err(|error| error.to_string());
    match (&checked, expected) {
        (Ok(()), Ok(())) => {}
        (Err(sentence), Err(part)) if sentence.contains(part) => {}
        (checked, expected) => panic!("{uri}: {checked:?}, and not {expected:?}"),
    }
}

fn allowing(entries: &[&str]) -> Rule {
    Rule { allow: entries.iter().map(|entry| entry.parse().unwrap()).collect(), ..Rule::default() }
}

#[test]
fn by_default_public_hosts_are_asked_by_https() {
    for good in ["https://bot.example/cb", "https://bot.example:8443/", "https://1.1.1.1/", "https://[2606:4700::1]/"] {
        check(&Rule::default(), good, Ok(()));
    }
    check(&Rule::default(), "http://bot.example/", Err("must be an absolute https URI"));
    check(&Rule::default(), "https://bot.example:22/", Err("has the port 22"));
    check(&Rule::default(), "https://bot.example:5060/", Err("has the port 5060"));
    check(&Rule::default(), "https://10.0.0.1/", Err("not public"));
}

#[test]
fn http_to_loopback_is_http_to_loopback_only() {
    let rule = Rule { plain_http: PlainHttp::ToLoopback, ..allowing(&["127.0.0.0/8", "::1", "10.0.0.0/8"]) };
    for good in ["http://127.0.0.1:9/cb", "http://localhost/cb", "http://[::1]/cb", "http://127.1/cb"] {
        check(&rule, &good.replace(":9", ":9000"), Ok(()));
    }
    for bad in ["http://10.0.0.1/", "http://bot.example/", "http://localhost.example/", "/cb", "ftp://127.0.0.1/"] {
        check(&rule, bad, Err("must be an absolute https URI, or http to this machine's loopback address"));
    }
    check(&rule, "https://10.0.0.1/", Ok(()));
}

#[test]
fn an_entry_with_a_port_opens_that_port_and_no_other() {
    let rule = allowing(&["10.0.0.0/8:25", "192.168.0.7", "bot.internal:8443"]);
    check(&rule, "https://10.0.0.1:25/", Ok(()));
    check(&rule, "https://10.0.0.1/", Err("not public"));
    check(&rule, "https://192.168.0.7:9000/", Ok(()));
    check(&rule, "https://192.168.0.7:25/", Err("has the port 25"));
    check(&rule, "https://1.1.1.1:25/", Err("has the port 25"));
}

#[test]
fn a_network_does_not_open_the_metadata_service_in_it() {
    check(&allowing(&["169.254.0.0/16"]), "https://169.254.0.1/", Ok(()));
    check(&allowing(&["169.254.0.0/16"]), "https://169.254.169.254/", Err("not public"));
    check(&allowing(&["0.0.0.0/0", "::/0"]), "https://[::ffff:169.254.169.254]/", Err("not public"));
    check(&allowing(&["169.254.169.254"]), "https://169.254.169.254/", Ok(()));
}

#[test]
fn what_is_denied_is_not_asked_even_if_it_is_allowed() {
    let deny = ["8.8.0.0/16", "10.1.0.0/16", "printer.example"].map(|entry| entry.parse().unwrap()).to_vec();
    let rule = Rule { deny, ..allowing(&["10.0.0.0/8"]) };
    for bad in ["https://8.8.8.8/", "https://10.1.2.3/", "https://[64:ff9b::8.8.8.8]/"] {
        check(&rule, bad, Err("must not ask"));
    }
    check(&rule, "https://10.2.0.1/", Ok(()));
}

#[test]
fn a_redirect_is_read_like_any_uri() {
    let uri = HttpUri::parse("https://bot.example/a/b?secret#part").unwrap();
    assert_eq!(uri.as_str(), "https://bot.example/a/b?secret");
    assert_eq!(uri.origin(), "https://bot.example");
    assert_eq!(uri.join("../c").unwrap().as_str(), "https://bot.example/c");
    assert_eq!(uri.join("//user@other.example/"), Err(UriError::Credentials));
    assert_eq!(uri.join("\\\\other.example/"), Err(UriError::Characters));
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}
