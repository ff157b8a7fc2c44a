//! Graph's `resultInfo`: how an operation or a call ended.

use serde::{Deserialize, Serialize};

/// Is Graph's `resultInfo`. Numbers, as the metadata has them, though one sample of the docs shows strings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "@odata.type", rename = "#microsoft.graph.resultInfo", rename_all = "camelCase")]
pub(crate) struct ResultInfo {
    pub(crate) code: u16,
    pub(crate) subcode: u32,
    pub(crate) message: String,
}

impl From<&call::ResultInfo> for ResultInfo {
    fn from(result: &call::ResultInfo) -> ResultInfo {
        ResultInfo { code: result.code, subcode: result.subcode, message: result.message.clone() }
    }
}
