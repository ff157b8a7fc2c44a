//! Who else issues tokens.

use super::{cloud, outgoing};
use crate::config::{self, Settings};
use anyhow::{Context, bail, ensure};
use graph::{AppId, ForeignIssuer, KeySource, RoleSource, TenantClaim, TenantId};
use std::collections::{HashMap, HashSet};

pub(super) fn issuers(settings: &Settings) -> anyhow::Result<Vec<ForeignIssuer>> {
    let issuer = |(index, given): (usize, &config::Issuer)| {
        issuer(given, settings).with_context(|| format!("issuers: number {}", index + 1))
    };
    let issuers = settings.issuers.iter().enumerate().map(issuer).collect::<anyhow::Result<Vec<_>>>()?;
    let mut seen = HashSet::new();
    for name in issuers.iter().flat_map(|issuer| &issuer.names) {
        ensure!(seen.insert(name), "issuers: {name} is there twice");
    }
    Ok(issuers)
}

fn issuer(given: &config::Issuer, settings: &Settings) -> anyhow::Result<ForeignIssuer> {
    ensure!(!given.audiences.is_empty(), "audiences: say what its tokens are for");
    ensure!(!given.apps.is_empty(), "apps: say which of its clients may call");
    let apps = given.apps.iter().map(|foreign| app(foreign, settings)).collect::<anyhow::Result<HashMap<_, _>>>()?;
    let mut issuer = match given.entra {
        Some(of) => entra(given, of, apps, settings)?,
        None => by_hand(given, apps, settings)?,
    };
    issuer.roles = match given.roles {
        config::Roles::Token => RoleSource::Token,
        config::Roles::Directory => RoleSource::Directory,
    };
    Ok(issuer)
}

fn entra(
    given: &config::Issuer,
    of: config::Cloud,
    apps: HashMap<String, AppId>,
    settings: &Settings,
) -> anyhow::Result<ForeignIssuer> {
    ensure!(given.issuer.is_empty(), "entra and issuer: only one of them can be meant");
    ensure!(given.jwks_uri.is_empty(), "jwks_uri: Entra ID's is known");
    let tenant = if given.tenant.is_empty() { &settings.tenant.id } else { &given.tenant };
    Ok(ForeignIssuer::entra(cloud(of), tenant_id(tenant)?, given.audiences.clone(), apps))
}

fn by_hand(given: &config::Issuer, apps: HashMap<String, AppId>, settings: &Settings) -> anyhow::Result<ForeignIssuer> {
    if given.issuer.is_empty() {
        bail!("set entra or issuer");
    }
    let rule = outgoing::issuer_keys(settings)?;
    let keys = match given.jwks_uri.as_str() {
        "" => KeySource::discovery(&given.issuer, &rule).context("issuer")?,
        uri => KeySource::jwks(uri, &rule).context("jwks_uri")?,
    };
    let tenant = match given.tenant.as_str() {
        "" => TenantClaim::Implied(tenant_id(&settings.tenant.id)?),
        tenant => TenantClaim::Required(tenant_id(tenant)?),
    };
    let (names, audiences) = (vec![given.issuer.clone()], given.audiences.clone());
    Ok(ForeignIssuer { names, keys, audiences, tenant, apps, roles: RoleSource::Token })
}

fn tenant_id(text: &str) -> anyhow::Result<TenantId> {
    Ok(TenantId(text.parse().with_context(|| format!("tenant: {text:?} must be a GUID"))?))
}

fn app(foreign: &config::IssuerApp, settings: &Settings) -> anyhow::Result<(String, AppId)> {
    let known = settings.apps.iter().any(|app| app.id.eq_ignore_ascii_case(&foreign.app));
    ensure!(known, "apps: {:?} is none of [[apps]]", foreign.app);
    let id = foreign.app.parse().with_context(|| format!("apps: app {:?} must be a GUID", foreign.app))?;
    // Entra ID writes its GUIDs in lower case.
    let client = foreign.client.parse().map_or_else(|_| foreign.client.clone(), |client| AppId(client).to_string());
    Ok((client, AppId(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(toml: &str) -> Settings {
        let mut settings = config::load(None).expect("the dev profile");
        settings.issuers = vec![toml::from_str(toml).expect("an issuer")];
        settings
    }

    const BOT: &str = r#"audiences = ["api://fermata"]
        apps = [{ client = "my-bot", app = "22222222-2222-4222-8222-222222222222" }]"#;

    #[track_caller]
    fn check_refused(toml: &str, reason: &str) {
        let error = issuers(&settings(toml)).expect_err("it is refused");
        assert!(format!("{error:#}").contains(reason), "{error:#}");
    }

    #[test]
    fn entra_is_known_by_its_cloud() {
        let issuers = issuers(&settings(&format!("entra = \"us-gov-l4\"\n{BOT}"))).expect("an issuer");
        let tenant = "11111111-1111-4111-8111-111111111111";
        assert_eq!(issuers[0].names[0], format!("https://login.microsoftonline.us/{tenant}/v2.0"));
    }

    #[test]
    fn a_client_id_is_found_however_it_is_written() {
        let given = r#"entra = "global"
            audiences = ["api://fermata"]
            apps = [{ client = "AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE", app = "22222222-2222-4222-8222-222222222222" }]"#;
        let issuers = issuers(&settings(given)).expect("an issuer");
        assert!(issuers[0].apps.contains_key("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"));
    }

    #[test]
    fn any_issuer_is_found_by_its_document() {
        let given = format!("issuer = \"https://idp.example/realms/x\"\nroles = \"directory\"\n{BOT}");
        let issuers = issuers(&settings(&given)).expect("an issuer");
        assert_eq!(issuers[0].roles, RoleSource::Directory);
        assert!(matches!(&issuers[0].keys, KeySource::Discovery { document, .. }
            if document.as_str() == "https://idp.example/realms/x/.well-known/openid-configuration"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        check_refused(BOT, "set entra or issuer");
        check_refused(&format!("entra = \"global\"\nissuer = \"https://a.example\"\n{BOT}"), "only one of them");
        check_refused(&format!("issuer = \"http://idp.example\"\n{BOT}"), "https");
        check_refused("entra = \"global\"\naudiences = []\napps = []", "audiences");
        check_refused("entra = \"global\"\naudiences = [\"a\"]\napps = []", "apps");
        let stranger = "entra = \"global\"\naudiences = [\"a\"]\napps = [{ client = \"a\", app = \"b\" }]";
        check_refused(stranger, "none of [[apps]]");
        let mut twice = settings(&format!("entra = \"global\"\n{BOT}"));
        twice.issuers.push(twice.issuers[0].clone());
        let error = issuers(&twice).expect_err("it is refused");
        assert!(error.to_string().contains("twice"), "{error}");
    }
}
