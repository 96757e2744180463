//! Values that others may extend: free objects, and enumerations that keep what they do not know.

use serde::{Deserialize, Deserializer};

/// A free JSON object, kept as it is.
pub type Metadata = serde_json::Map<String, serde_json::Value>;

/// Reads `null` like an absent field. Together with `default`, for lists and metadata.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// An enumeration of texts. A text it does not know becomes `Other`, and is written as it came.
macro_rules! open_enum {
    ($(#[$attr:meta])* pub enum $name:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$attr])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($variant,)*
            /// A value that this version does not know.
            Other(String),
        }

        impl $name {
            /// All known values.
            pub const KNOWN: &'static [&'static str] = &[$($text),*];

            /// The value as it travels.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl $crate::Param for $name {
            const SHAPE: $crate::Shape = $crate::Shape::Text;
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)*
                    _ => Self::Other(text.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                let text: std::borrow::Cow<'de, str> =
                    serde::Deserialize::deserialize(deserializer)?;
                Ok(Self::from(&*text))
            }
        }
    };
}
pub(crate) use open_enum;
