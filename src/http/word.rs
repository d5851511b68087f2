//! What the closed sets of words of the API have in common.

use serde::Serialize;
use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

use super::error::FieldError;

/// One of a closed set of words.
pub trait Word: Serialize + DeserializeOwned + 'static {
    /// Every one of them.
    const ALL: &'static [Self];

    /// The word in the API.
    fn name(&self) -> String {
        serde_json::to_value(self).ok().and_then(|name| Some(name.as_str()?.to_owned())).unwrap_or_default()
    }

    /// The word that a field of a request has, or what is allowed.
    fn read(field: &str, text: &str) -> Result<Self, FieldError> {
        let text: StrDeserializer<'_, Error> = text.into_deserializer();
        Self::deserialize(text).map_err(|_| {
            let allowed: Vec<_> = Self::ALL.iter().map(Self::name).collect();
            FieldError::new(field, format!("must be one of {}", allowed.join(", ")))
        })
    }
}

/// Makes a set of words, and their conversions from and to those of the domain.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident $(= $domain:ident)? { $($words:tt)* }) => {
        words!(@in "camelCase" $(#[$meta])* $name $(= $domain)? { $($words)* });
    };
    (@in $case:tt $(#[$meta:meta])* $name:ident $(= $domain:ident)? {
        $($(#[$variant_meta:meta])* $variant:ident),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = $case)]
        pub enum $name { $($(#[$variant_meta])* $variant),+ }

        impl Word for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];
        }

        words!(@like $name $($domain)? { $($variant)+ });
    };
    (@like $name:ident { $($variant:ident)+ }) => {};
    (@like $name:ident $domain:ident { $($variant:ident)+ }) => {
        impl From<$domain> for $name {
            fn from(word: $domain) -> Self {
                match word { $($domain::$variant => Self::$variant),+ }
            }
        }

        impl From<$name> for $domain {
            fn from(word: $name) -> Self {
                match word { $($name::$variant => Self::$variant),+ }
            }
        }
    };
}
pub(super) use words;
