//! Prompts and the media configuration of a call: `mediaPrompt`, `mediaInfo`, `mediaConfig`.

use engine::outgoing::HttpUri;
use serde::{Deserialize, Serialize};

use super::{Invalid, is_odata_type, object};

/// Is Graph's `mediaInfo`: where audio is, and under which key it is cached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "@odata.type", rename = "#microsoft.graph.mediaInfo", rename_all = "camelCase")]
pub(crate) struct MediaInfo {
    #[serde(default)]
    pub(crate) uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) resource_id: Option<String>,
}

/// Is Graph's `prompt`, whose only kind is `mediaPrompt`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MediaPrompt {
    #[serde(default, rename = "@odata.type")]
    odata_type: Option<String>,
    #[serde(default, deserialize_with = "object::optional")]
    media_info: Option<MediaInfo>,
}

/// Is Graph's `mediaConfig` in a request.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MediaConfig {
    #[serde(default, rename = "@odata.type")]
    odata_type: Option<String>,
    #[serde(default, deserialize_with = "object::list")]
    pre_fetch_media: Option<Vec<MediaInfo>>,
    #[serde(default)]
    blob: Option<String>,
}

/// Is Graph's `serviceHostedMediaConfig` in an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "@odata.type", rename = "#microsoft.graph.serviceHostedMediaConfig", rename_all = "camelCase")]
pub(crate) struct ServiceHostedMediaConfig {
    #[serde(default)]
    pub(crate) pre_fetch_media: Vec<MediaInfo>,
}

impl MediaInfo {
    /// Reads the audio; `path` is where this stands in the request.
    pub(crate) fn parse(&self, path: &str) -> Result<call::Prompt, Invalid> {
        let uri_path = format!("{path}.uri");
        let uri = self.uri.as_deref().ok_or_else(|| Invalid::missing(uri_path.as_str()))?;
        // Who may be asked is found out when the prompt is fetched, as Graph does: the operation fails then.
        HttpUri::parse(uri).map_err(|error| Invalid::new(uri_path, error.to_string()))?;
        let resource_id = self.resource_id.clone().filter(|id| !id.is_empty());
        Ok(call::Prompt::Media { uri: uri.to_owned(), resource_id })
    }
}

impl MediaPrompt {
    /// Reads the prompt; `path` is where this stands in the request.
    pub(crate) fn parse(&self, path: &str) -> Result<call::Prompt, Invalid> {
        if self.odata_type.as_deref().is_some_and(|given| !is_odata_type(given, "mediaPrompt")) {
            return Err(Invalid::new(format!("{path}.@odata.type"), "must be '#microsoft.graph.mediaPrompt'"));
        }
        let path = format!("{path}.mediaInfo");
        self.media_info.as_ref().ok_or_else(|| Invalid::missing(path.as_str()))?.parse(&path)
    }
}

impl MediaConfig {
    /// Reads the configuration and the prompts to fetch in advance.
    pub(crate) fn parse(&self, path: &str) -> Result<(ServiceHostedMediaConfig, Vec<call::Prompt>), Invalid> {
        let service_hosted = match &self.odata_type {
            Some(given) => is_odata_type(given, "serviceHostedMediaConfig"),
            None => self.blob.is_none(),
        };
        if !service_hosted {
            return Err(Invalid::new(
                format!("{path}.@odata.type"),
                "must be '#microsoft.graph.serviceHostedMediaConfig': application-hosted media is not served",
            ));
        }
        let infos = self.pre_fetch_media.clone().unwrap_or_default();
        let prompts = infos
            .iter()
            .enumerate()
            .map(|(at, info)| info.parse(&format!("{path}.preFetchMedia[{at}]")))
            .collect::<Result<_, _>>()?;
        Ok((ServiceHostedMediaConfig { pre_fetch_media: infos }, prompts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Result<&str, &str>) {
        let prompt: MediaPrompt = serde_json::from_str(body).expect("test JSON");
        let parsed = prompt.parse("customPrompt").map(|prompt| match prompt {
            call::Prompt::Media { uri, .. } => uri,
            call::Prompt::BuiltIn => "built-in".to_owned(),
        });
        assert_eq!(parsed.map_err(|invalid| invalid.to_string()), expected.map(str::to_owned).map_err(str::to_owned));
    }

    #[test]
    fn a_prompt_needs_no_type_names() {
        check(r#"{"mediaInfo":{"uri":"https://bot.example/a.wav"}}"#, Ok("https://bot.example/a.wav"));
        check(
            r##"{"mediaInfo":{"@odata.type":"#microsoft.graph.mediaInfo","uri":"http://bot.example/a.wav"},"@odata.type":"#microsoft.graph.mediaPrompt"}"##,
            Ok("http://bot.example/a.wav"),
        );
    }

    #[test]
    fn a_wrong_prompt_is_named_by_its_path() {
        check("{}", Err("'customPrompt.mediaInfo' is required."));
        check(r#"{"mediaInfo":{}}"#, Err("'customPrompt.mediaInfo.uri' is required."));
        for uri in ["", "a.wav", "file:///etc/passwd", "ftp://x/a.wav", "http://"] {
            check(
                &format!(r#"{{"mediaInfo":{{"uri":"{uri}"}}}}"#),
                Err("'customPrompt.mediaInfo.uri' must be an absolute http or https URI."),
            );
        }
        check(
            r##"{"@odata.type":"#microsoft.graph.tonePrompt"}"##,
            Err("'customPrompt.@odata.type' must be '#microsoft.graph.mediaPrompt'."),
        );
    }
}
