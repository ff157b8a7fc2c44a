//! Microsoft's clouds: what each is called and which of Graph's calls methods it has.
//!
//! Names: <https://learn.microsoft.com/graph/deployments>; methods: Graph's published metadata of each cloud, which is
//! stricter than the pages.

/// Names a cloud of Microsoft's: the one that this server stands in for, or that of a tenant whose tokens it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    /// The worldwide cloud, and GCC.
    Global,
    /// US Government L4, GCC High.
    UsGovL4,
    /// US Government L5, the Department of Defense.
    UsGovL5,
    /// China, operated by 21Vianet.
    China,
}

/// What the calls API of the US Government clouds lacks, as words of a path.
const US_GOV_LACKS: [&str; 3] = ["sendDtmfTones", "addLargeGalleryView", "audioRoutingGroups"];

impl Cloud {
    /// Returns Graph's root URL in the cloud, which is also what tokens for it name as their audience.
    pub fn graph_root(self) -> &'static str {
        match self {
            Cloud::Global => "https://graph.microsoft.com",
            Cloud::UsGovL4 => "https://graph.microsoft.us",
            Cloud::UsGovL5 => "https://dod-graph.microsoft.us",
            Cloud::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }

    /// Returns the root of Entra ID's endpoints, and of the issuer of its v2.0 tokens.
    pub(crate) fn login_root(self) -> &'static str {
        match self {
            Cloud::Global => "https://login.microsoftonline.com",
            Cloud::UsGovL4 | Cloud::UsGovL5 => "https://login.microsoftonline.us",
            Cloud::China => "https://login.partner.microsoftonline.cn",
        }
    }

    /// Returns the root of the issuer of Entra ID's v1.0 tokens.
    pub(crate) fn sts_root(self) -> &'static str {
        match self {
            Cloud::Global | Cloud::UsGovL4 | Cloud::UsGovL5 => "https://sts.windows.net",
            Cloud::China => "https://sts.chinacloudapi.cn",
        }
    }

    /// Tells whether the cloud has a route of the calls API, in the router's spelling.
    pub(crate) fn serves(self, path: &str) -> bool {
        match self {
            Cloud::Global => true,
            Cloud::UsGovL4 | Cloud::UsGovL5 => !path.split('/').any(|word| US_GOV_LACKS.contains(&word)),
            Cloud::China => !path.starts_with("/communications"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_are_served_everywhere_but_in_china() {
        let hold = "/communications/calls/{call}/participants/{participant}/startHoldMusic";
        let served = [Cloud::Global, Cloud::UsGovL4, Cloud::UsGovL5, Cloud::China].map(|cloud| cloud.serves(hold));
        assert_eq!(served, [true, true, true, false]);
    }

    #[test]
    fn routing_groups_are_global_only() {
        let group = "/communications/calls/{call}/audioRoutingGroups/{group}";
        assert!(Cloud::Global.serves(group) && !Cloud::UsGovL4.serves(group) && !Cloud::UsGovL5.serves(group));
    }
}
