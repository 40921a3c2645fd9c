//! A file set on the wire: names to bytes in base64.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lanai_control::FileSet;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A [`FileSet`] that can be sent.
#[derive(Clone, Debug)]
pub(crate) struct Files(pub(crate) FileSet);

impl Serialize for Files {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            self.0
                .iter()
                .map(|(name, bytes)| (name, STANDARD.encode(bytes))),
        )
    }
}

impl<'de> Deserialize<'de> for Files {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Files, D::Error> {
        let encoded = BTreeMap::<String, String>::deserialize(deserializer)?;
        let mut files = FileSet::default();
        for (name, text) in encoded {
            let bytes = STANDARD.decode(text).map_err(serde::de::Error::custom)?;
            files.insert(name, bytes);
        }
        Ok(Files(files))
    }
}
