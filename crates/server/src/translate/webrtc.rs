//! Where browsers are heard, and who helps them to find a path.

use super::secret;
use crate::config::{IceServer, Settings, WebRtc};
use anyhow::{Context, bail, ensure};
use graph::IceCredentials;

/// Browsers are told one address, so it must be one that they can reach.
pub(super) fn webrtc(webrtc: &WebRtc) -> anyhow::Result<Option<engine::WebRtcConfig>> {
    let Some(listen) = webrtc.listen else { return Ok(None) };
    let told = webrtc.address.unwrap_or(listen.ip());
    if told.is_unspecified() {
        bail!("webrtc.address: browsers are told this address, so it must be one that they can reach, not {told}");
    }
    Ok(Some(engine::WebRtcConfig { listen, address: webrtc.address }))
}

pub(super) fn ice_servers(settings: &Settings) -> anyhow::Result<Vec<graph::IceServer>> {
    let server = |server: &IceServer| ice_server(server).with_context(|| format!("webrtc.ice_servers: {}", server.url));
    settings.webrtc.ice_servers.iter().map(server).collect()
}

fn ice_server(server: &IceServer) -> anyhow::Result<graph::IceServer> {
    let IceServer { url, username, password, password_file, password_env, secret, secret_file, secret_env } = server;
    let has_secret = [secret, secret_file, secret_env].iter().any(|key| !key.is_empty());
    let has_password = [password, password_file, password_env].iter().any(|key| !key.is_empty());
    ensure!(!(has_secret && (has_password || !username.is_empty())), "set a secret, or a username and a password");
    ensure!(has_password != username.is_empty(), "a username needs a password, and a password a username");
    let credentials = match (has_secret, has_password) {
        (true, _) => IceCredentials::Secret(secret::one_of("secret", secret, secret_file, secret_env)?),
        (false, true) => {
            let password = secret::one_of("password", password, password_file, password_env)?;
            IceCredentials::Password { username: username.clone(), password }
        }
        (false, false) => IceCredentials::None,
    };
    graph::IceServer::new(url, credentials).context("url")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[track_caller]
    fn check_refused(server: &str, reason: &str) {
        let mut settings = config::load(None).expect("the dev profile");
        settings.webrtc.ice_servers.push(toml::from_str(server).expect("known keys"));
        let error = ice_servers(&settings).expect_err("it is refused");
        assert!(format!("{error:#}").contains(reason), "{error:#}");
    }

    #[test]
    fn what_is_wrong_names_its_key() {
        check_refused("url = \"http://turn.example\"", "webrtc.ice_servers: http://turn.example: url: must begin with");
        check_refused("url = \"turn:a\"\nusername = \"me\"", "a username needs a password");
        check_refused("url = \"turn:a\"\npassword = \"x\"", "a password a username");
        check_refused("url = \"turn:a\"\nsecret = \"x\"\nusername = \"me\"", "set a secret, or");
        check_refused("url = \"turn:a\"\nsecret = \"x\"\nsecret_env = \"y\"", "set one of secret");
    }

    #[test]
    fn browsers_are_told_an_address_that_can_be_reached() {
        let told = |listen: &str, address: &str| {
            let address = (!address.is_empty()).then(|| address.parse().expect("an address"));
            webrtc(&WebRtc { listen: Some(listen.parse().expect("an address")), address, ice_servers: Vec::new() })
        };
        assert!(told("0.0.0.0:8189", "").is_err() && told("0.0.0.0:8189", "192.0.2.1").is_ok());
        assert!(told("127.0.0.1:8189", "").is_ok());
    }
}
