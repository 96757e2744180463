//! Where addresses are, as far as a database file tells that the operator gave.

use std::{net::IpAddr, sync::Arc};

use maxminddb::Reader;
use serde::Deserialize;

/// A database of places in the format of `MaxMind`, or none.
#[derive(Clone, Default)]
pub struct Places(Option<Arc<Reader<Vec<u8>>>>);

/// A place, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Location {
    /// Its name in English.
    pub(crate) city: Option<String>,
    /// Two letters.
    pub(crate) country: Option<String>,
}

impl Places {
    /// Takes the content of a file, or says what is wrong with it.
    pub fn read(file: Vec<u8>) -> std::result::Result<Self, String> {
        let reader = Reader::from_source(file).map_err(|error| error.to_string())?;
        Ok(Self(Some(Arc::new(reader))))
    }

    /// Where an address is. What the file does not tell, or tells badly, is unknown.
    pub(crate) fn of(&self, address: Option<&str>) -> Location {
        let address = address.and_then(|text| text.parse::<IpAddr>().ok());
        let (Some(reader), Some(address)) = (&self.0, address) else { return Location::default() };
        let found = reader.lookup(address.to_canonical());
        let entry = found.and_then(|found| found.decode::<Entry>()).ok().flatten();
        let Entry { city, country } = entry.unwrap_or_default();
        Location { city: city.names.en, country: country.iso_code }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    city: City,
    country: Country,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct City {
    names: Names,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Names {
    en: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Country {
    iso_code: Option<String>,
}
