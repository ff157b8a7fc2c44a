//! Fermata: a self-hosted calling server that speaks Microsoft Graph's calls API.
fn main() {}
