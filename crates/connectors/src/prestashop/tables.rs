//! The shop's small tables, which orders refer to by id: read whole, kept for a while, and read again when an id is not in them.

use super::Shop;
use super::ask::List;
use super::wire::in_first_language;
use comptoir_kit::decode;
use comptoir_model::Decimal;
use comptoir_model::address::{CodeBook, Country, subdivision_in};
use comptoir_model::fault::Fault;
use comptoir_model::money::Currency;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// How long tables are believed.
const FRESH: SignedDuration = SignedDuration::from_mins(10);

/// An order state.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct StateWire {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id: String,
    pub(super) name: Value,
    pub(super) template: Value,
    #[serde(deserialize_with = "decode::flag")]
    pub(super) paid: bool,
    #[serde(deserialize_with = "decode::flag")]
    pub(super) shipped: bool,
    #[serde(deserialize_with = "decode::flag")]
    pub(super) delivery: bool,
    #[serde(deserialize_with = "decode::flag")]
    pub(super) logable: bool,
    #[serde(deserialize_with = "decode::flag")]
    pub(super) invoice: bool,
    /// The shop mails the buyer about it, when it is asked to.
    #[serde(deserialize_with = "decode::flag")]
    pub(super) send_email: bool,
    #[serde(deserialize_with = "decode::flag")]
    pub(super) deleted: bool,
}

/// A tax. A rate that is changed becomes a new tax, so an id keeps its rate.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct TaxWire {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id: String,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) rate: Decimal,
    #[serde(default)]
    pub(super) name: Value,
    #[serde(default, deserialize_with = "decode::flag")]
    pub(super) deleted: bool,
}

/// A carrier. Changing one makes a new id; `id_reference` stays.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct CarrierWire {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) id_reference: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) name: String,
    /// Where parcels are followed, with `@` for the tracking number. Without it the shop mails no tracking number.
    #[serde(deserialize_with = "decode::text")]
    pub(super) url: String,
    #[serde(deserialize_with = "decode::flag")]
    pub(super) deleted: bool,
}

/// A currency.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct CurrencyWire {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) iso_code: String,
}

/// A language.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct LanguageWire {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) iso_code: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) locale: String,
}

/// A country.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct CountryWire {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) iso_code: String,
}

/// A state or province.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RegionWire {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) iso_code: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) name: String,
}

/// A tax as orders show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tax {
    /// What the look-up table of taxes reads: the shop's name of it, with the rate behind it when the name does not tell it.
    pub(super) code: String,
    /// The shop's name of it.
    pub(super) name: String,
    /// Percent.
    pub(super) rate: Decimal,
    /// Replaced or thrown away: old orders only.
    pub(super) deleted: bool,
}

/// All tables.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) states: HashMap<String, StateWire>,
    pub(super) taxes: HashMap<String, Tax>,
    pub(super) carriers: HashMap<String, CarrierWire>,
    pub(super) currencies: HashMap<String, CurrencyWire>,
    pub(super) languages: HashMap<String, LanguageWire>,
    pub(super) countries: HashMap<String, CountryWire>,
    pub(super) regions: HashMap<String, RegionWire>,
}

impl Tables {
    /// A currency by its id.
    pub(super) fn currency(&self, id: &str) -> Option<Currency> {
        self.currencies.get(id)?.iso_code.trim().parse().ok()
    }

    /// A language by its id, such as `fr-FR`.
    pub(super) fn language(&self, id: &str) -> String {
        let Some(language) = self.languages.get(id) else {
            return String::new();
        };
        match language.locale.as_str() {
            "" => language.iso_code.clone(),
            locale => locale.to_owned(),
        }
    }

    /// A country by its id.
    pub(super) fn country(&self, id: &str) -> Option<Country> {
        self.countries.get(id)?.iso_code.trim().parse().ok()
    }

    /// A state or province by its id: its ISO code where the shop's is that, and its name.
    pub(super) fn region(&self, id: &str, country: Option<Country>) -> (Option<String>, String) {
        let Some(region) = self.regions.get(id) else {
            return (None, String::new());
        };
        let own = region.iso_code.trim().to_uppercase();
        let iso = country.map(|country| match own.split_once('-') {
            Some((prefix, _)) if prefix == country.code() => own.clone(),
            _ => format!("{}-{own}", country.code()),
        });
        let books = [CodeBook::WooCommerce, CodeBook::Shopify, CodeBook::Odoo];
        let known = |iso: &String| {
            let mut books = books.into_iter();
            books.any(|book| subdivision_in(book, iso).is_some())
        };
        (iso.filter(known), region.name.trim().to_owned())
    }

    /// What a carrier's orders are mapped by.
    pub(super) fn method(&self, id: &str) -> String {
        match self.carriers.get(id) {
            Some(carrier) => carrier.method().to_owned(),
            None => id.to_owned(),
        }
    }
}

impl CarrierWire {
    /// The id that stays when the carrier is changed.
    pub(super) fn method(&self) -> &str {
        match self.id_reference.as_str() {
            "" | "0" => &self.id,
            reference => reference,
        }
    }
}

impl From<TaxWire> for Tax {
    fn from(wire: TaxWire) -> Tax {
        let name = in_first_language(&wire.name);
        let rate = wire.rate.normalize();
        Tax {
            code: code(&name, rate),
            name,
            rate,
            deleted: wire.deleted,
        }
    }
}

/// The shop's name of a tax, with the rate behind it when the name does not tell it: shops name several rates alike.
pub(super) fn code(name: &str, rate: Decimal) -> String {
    let digits = |c: char| !(c.is_ascii_digit() || matches!(c, '.' | ','));
    let told = name.split(digits).any(|part| {
        let part = part.replace(',', ".");
        let part = part.trim_matches('.');
        part.parse::<Decimal>().is_ok_and(|told| told == rate)
    });
    if told {
        name.to_owned()
    } else {
        format!("{name} {rate}%").trim_start().to_owned()
    }
}

fn by_id<T>(rows: Vec<T>, id: fn(&T) -> &str) -> HashMap<String, T> {
    rows.into_iter()
        .map(|row| (id(&row).to_owned(), row))
        .collect()
}

impl Shop {
    /// The tables, as fresh as they need to be.
    pub(super) async fn tables(&self) -> Result<Arc<Tables>, Fault> {
        let now = self.kit.clock.now();
        let mut kept = self.tables.lock().await;
        match &*kept {
            Some((at, tables)) if now.duration_since(*at) < FRESH => Ok(tables.clone()),
            _ => {
                let tables = Arc::new(self.read_tables().await?);
                *kept = Some((now, tables.clone()));
                Ok(tables)
            }
        }
    }

    /// The tables again, unless they were read at or after this time.
    pub(super) async fn tables_after(&self, at: Timestamp) -> Result<Arc<Tables>, Fault> {
        {
            let mut kept = self.tables.lock().await;
            if kept.as_ref().is_some_and(|(read, _)| *read < at) {
                *kept = None;
            }
        }
        self.tables().await
    }

    async fn read_tables(&self) -> Result<Tables, Fault> {
        let states = "id,name,template,paid,shipped,delivery,logable,invoice,send_email,deleted";
        let states = self.all(List::of("tables.states", "order_states", states));
        let states: Vec<StateWire> = states.await?;
        let taxes = List::of("tables.taxes", "taxes", "id,rate,name,deleted");
        let taxes: Vec<TaxWire> = self.all(taxes).await?;
        let carriers = List::of(
            "tables.carriers",
            "carriers",
            "id,id_reference,name,url,deleted",
        );
        let carriers: Vec<CarrierWire> = self.all(carriers).await?;
        let currencies = List::of("tables.currencies", "currencies", "id,iso_code");
        let currencies: Vec<CurrencyWire> = self.all(currencies).await?;
        let languages = List::of("tables.languages", "languages", "id,iso_code,locale");
        let languages: Vec<LanguageWire> = self.all(languages).await?;
        let countries = List::of("tables.countries", "countries", "id,iso_code");
        let countries: Vec<CountryWire> = self.all(countries).await?;
        let regions = List::of("tables.states", "states", "id,iso_code,name");
        let regions: Vec<RegionWire> = self.all(regions).await?;
        Ok(Tables {
            states: by_id(states, |row| &row.id),
            taxes: taxes
                .into_iter()
                .map(|tax| (tax.id.clone(), Tax::from(tax)))
                .collect(),
            carriers: by_id(carriers, |row| &row.id),
            currencies: by_id(currencies, |row| &row.id),
            languages: by_id(languages, |row| &row.id),
            countries: by_id(countries, |row| &row.id),
            regions: by_id(regions, |row| &row.id),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]
mod tests {
    use super::*;

    #[test]
    fn taxes_named_alike_do_not_share_a_key() {
        let with = |name: &str, rate: &str| code(name, rate.parse().unwrap());
        assert_eq!(with("TVA FR 20%", "20"), "TVA FR 20%");
        assert_eq!(with("TVA FR 5,5 %", "5.5"), "TVA FR 5,5 %");
        assert_eq!(with("TVA", "20"), "TVA 20%");
        assert_eq!(with("TVA", "5.5"), "TVA 5.5%");
        assert_eq!(with("", "10"), "10%");
    }
}
