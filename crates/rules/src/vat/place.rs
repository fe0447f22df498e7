//! Where a sale goes, as VAT law sees it: a country, and perhaps one of its special territories.
//!
//! The same place is written in many ways: FR + 97400, RE + 97400, FR + state RE. The country of the territory speaks first, then the
//! postcode, then the state; when two of them say different things, a person must look.

use super::area::{Area, is_member};
use comptoir_model::address::{Address, Country};
use jiff::civil::Date;
use std::sync::LazyLock;

/// How a territory stands to the VAT area of the Union.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Outside: a delivery there is an export.
    Outside,
    /// French department with French VAT at its own rates.
    FrenchMarket,
    /// French department without VAT.
    FrenchWithout,
    /// Inside: treated as the member state named in `area`, some with a rate of their own.
    Inside,
    /// Inside for goods only.
    Goods,
}

/// A place whose VAT is not simply its country's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Territory {
    /// Its code, such as `ES-CN`; the rate table uses it too.
    pub code: &'static str,
    /// Its name in English.
    pub english: &'static str,
    /// Its name in French.
    pub french: &'static str,
    /// ISO 3166-1 code of its own, if any (`IC` and `EA` are reserved ones).
    iso: &'static str,
    patterns: Vec<&'static str>,
    states: Vec<&'static str>,
    /// How it stands.
    pub standing: Standing,
    /// The area it belongs to or makes up.
    pub area: &'static str,
    /// Where the law says so.
    pub article: &'static str,
}

/// How postcodes look in the countries whose territories are told by them: one that looks otherwise says nothing about the territory.
const FORMATS: [(&str, &[&str]); 8] = [
    ("ES", &["#####"]),
    ("FR", &["#####"]),
    ("IT", &["#####"]),
    ("DE", &["#####"]),
    ("FI", &["#####"]),
    ("GR", &["#####"]),
    ("AT", &["####"]),
    ("PT", &["####", "#######"]),
];

static TERRITORIES: LazyLock<Vec<Territory>> =
    LazyLock::new(|| read(include_str!("../../data/vat/territories.csv")));

/// Every territory, in the order in which they are tried.
pub fn territories() -> &'static [Territory] {
    &TERRITORIES
}

/// Reads the embedded table. Its rows are checked by a test; one that does not read is left out.
fn read(text: &'static str) -> Vec<Territory> {
    text.lines().skip(1).filter_map(territory).collect()
}

fn territory(row: &'static str) -> Option<Territory> {
    // No field but the last (a note) holds a comma or a quote: a test says so.
    let mut fields = row.splitn(10, ',');
    let mut next = || fields.next();
    let (code, english, french) = (next()?, next()?, next()?);
    let (iso, patterns, states) = (next()?, next()?, next()?);
    let standing = match next()? {
        "outside" => Standing::Outside,
        "dom" => Standing::FrenchMarket,
        "dom0" => Standing::FrenchWithout,
        "inside" => Standing::Inside,
        "goods" => Standing::Goods,
        _ => return None,
    };
    Some(Territory {
        code,
        english,
        french,
        iso,
        patterns: patterns.split_whitespace().collect(),
        states: states.split_whitespace().collect(),
        standing,
        area: next()?,
        article: next()?,
    })
}

/// A place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The country as the address gives it.
    pub country: Country,
    /// Its territory.
    pub territory: Option<&'static Territory>,
    /// The postcode is none of its country, so a special territory cannot be told by it.
    pub odd_postcode: bool,
}

/// Why an address is no place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoPlace {
    /// It names no country.
    Country,
    /// Its country, postcode and state name different territories (codes; `-` for none of them).
    Conflict(String, String),
}

impl Place {
    /// A country as a whole.
    pub fn country(country: Country) -> Self {
        Place {
            country,
            territory: by_iso(country.code()),
            odd_postcode: false,
        }
    }

    /// The place with this code: `FR`, `XI`, `ES-CN`. The seller's own places are configured like this.
    pub fn by_code(code: &str) -> Option<Self> {
        if let Some(found) = TERRITORIES
            .iter()
            .find(|known| known.code == code || (!known.iso.is_empty() && known.iso == code))
        {
            let country = match found.code.split_once('-') {
                Some((country, _)) => country,
                None => found.code,
            };
            return Some(Place {
                country: country.parse().ok()?,
                territory: Some(found),
                odd_postcode: false,
            });
        }
        Some(Place::country(code.parse().ok()?))
    }

    /// The place of an address.
    pub fn of(address: &Address) -> Result<Self, NoPlace> {
        let country = address.country.ok_or(NoPlace::Country)?;
        let state = address
            .subdivision
            .as_deref()
            .and_then(|code| code.split_once('-'))
            .map_or(address.region.as_str(), |(_, state)| state);
        Place::told_by(country, &address.postcode, state, &address.city)
    }

    /// The place that a country, a postcode, a state and a town name together.
    pub fn told_by(
        country: Country,
        postcode: &str,
        state: &str,
        city: &str,
    ) -> Result<Self, NoPlace> {
        let postcode = squeezed(postcode);
        let formats = FORMATS.iter().find(|(of, _)| *of == country.code());
        let odd_postcode = !postcode.is_empty()
            && formats.is_some_and(|(_, formats)| !formats.iter().any(|f| fits(f, &postcode)));
        let readable = !postcode.is_empty() && !odd_postcode;
        let by_country = by_iso(country.code());
        let by_postcode = by_postcode(country, &postcode, city);
        let by_state = by_state(country, state);
        let conflict = |a: Option<&Territory>, b: Option<&Territory>| {
            let word = |t: Option<&Territory>| t.map_or("-", |t| t.code).to_owned();
            Err(NoPlace::Conflict(word(a), word(b)))
        };
        // A territory that writes its own postcodes (RE + 97400) is tried as its country too.
        let of_territory = by_country.and_then(|known| {
            let country = known.code.split_once('-')?.0.parse().ok()?;
            Some((known, self::by_postcode(country, &postcode, city)))
        });
        let territory = match (by_country, by_postcode, by_state) {
            (Some(known), ..) => match of_territory {
                Some((_, Some(other))) if other != known => {
                    return conflict(Some(known), Some(other));
                }
                // RE + 75001: the postcode is one of the country, and not of the territory.
                Some((known, None))
                    if readable && known.told_by_postcode() && is_five_digits(&postcode) =>
                {
                    return conflict(Some(known), None);
                }
                _ => Some(known),
            },
            (None, Some(a), Some(b)) if a != b => return conflict(Some(a), Some(b)),
            (None, Some(known), _) => Some(known),
            // ES + 28001 + state GC.
            (None, None, Some(known)) if readable && formats.is_some() => {
                return conflict(None, Some(known));
            }
            (None, None, known) => known,
        };
        Ok(Place {
            country,
            territory,
            odd_postcode,
        })
    }

    /// The code people know it by: the territory's, else the country's.
    pub fn code(&self) -> &str {
        self.territory
            .map_or(self.country.code(), |known| known.code)
    }

    /// Its area for goods, at a date.
    pub(super) fn for_goods(&self, on: Date) -> Area {
        match self.territory {
            None => Area::of_country(self.country, on),
            Some(known) => match known.standing {
                Standing::Outside => Area::Third(known.area.to_owned()),
                Standing::FrenchMarket => Area::FrenchMarket(known.area),
                Standing::FrenchWithout => Area::FrenchWithout(known.area),
                Standing::Goods if is_member("GB", on) => Area::Member("GB".to_owned()),
                Standing::Inside | Standing::Goods => Area::Member(known.area.to_owned()),
            },
        }
    }

    /// Its area for services, at a date: Northern Ireland is the United Kingdom.
    pub(super) fn for_services(&self, on: Date) -> Area {
        match self.territory {
            Some(known) if known.standing == Standing::Goods => Area::of_country(self.country, on),
            _ => self.for_goods(on),
        }
    }
}

impl Territory {
    fn told_by_postcode(&self) -> bool {
        !self.patterns.is_empty()
    }
}

fn by_iso(code: &str) -> Option<&'static Territory> {
    TERRITORIES
        .iter()
        .find(|known| !known.iso.is_empty() && known.iso == code)
}

fn by_state(country: Country, state: &str) -> Option<&'static Territory> {
    let state = state.trim().to_ascii_uppercase();
    if state.is_empty() {
        return None;
    }
    let wanted = format!("{country}:{state}");
    TERRITORIES
        .iter()
        .find(|known| known.states.contains(&wanted.as_str()))
}

fn by_postcode(country: Country, postcode: &str, city: &str) -> Option<&'static Territory> {
    let city = city.to_lowercase();
    TERRITORIES.iter().find(|known| {
        known.patterns.iter().any(|pattern| {
            let Some((of, pattern)) = pattern.split_once(':') else {
                return false;
            };
            let (pattern, town) = pattern.split_once('+').unwrap_or((pattern, ""));
            of == country.code() && fits(pattern, postcode) && city.contains(town)
        })
    })
}

/// Letters and digits only, upper case.
fn squeezed(postcode: &str) -> String {
    postcode
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_uppercase)
        .collect()
}

fn is_five_digits(postcode: &str) -> bool {
    fits("#####", postcode)
}

/// `#` is a digit, `@` a letter, anything else itself.
fn fits(pattern: &str, text: &str) -> bool {
    pattern.chars().count() == text.chars().count()
        && pattern.chars().zip(text.chars()).all(|(p, c)| match p {
            '#' => c.is_ascii_digit(),
            '@' => c.is_ascii_alphabetic(),
            p => p == c,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(country: &str, postcode: &str, state: &str, city: &str) -> Result<Place, NoPlace> {
        Place::told_by(country.parse().unwrap(), postcode, state, city)
    }

    #[test]
    fn every_embedded_row_is_read_whole() {
        let text = include_str!("../../data/vat/territories.csv");
        assert_eq!(territories().len(), text.lines().count() - 1);
        for row in text.lines() {
            assert!(!row.contains('"') && row.matches(',').count() == 9, "{row}");
        }
        for known in territories() {
            for pattern in known.patterns.iter().chain(&known.states) {
                let country = pattern.split_once(':').expect(pattern).0;
                assert!(country.parse::<Country>().is_ok(), "{pattern}");
            }
            assert!(Place::by_code(known.code).is_some(), "{}", known.code);
        }
    }

    #[test]
    fn one_place_is_found_however_it_is_written() {
        for (country, postcode, state, city, code) in [
            ("FR", "97400", "", "", "FR-974"),
            ("RE", "97400", "", "", "FR-974"),
            ("RE", "", "", "", "FR-974"),
            ("FR", "", "RE", "", "FR-974"),
            ("FR", "97150", "", "Marigot", "FR-MF"),
            ("FR", "97133", "", "", "FR-BL"),
            ("ES", "35 001", "", "", "ES-CN"),
            ("ES", "", "TF", "", "ES-CN"),
            ("ES", "38001", "TF", "", "ES-CN"),
            ("ES", "", "ME", "", "ES-ML"),
            ("FI", "22100", "", "", "FI-01"),
            ("AX", "22100", "", "", "FI-01"),
            ("IT", "23030", "", "Livigno (SO)", "IT-LIV"),
            ("IT", "23030", "", "Valdidentro", "IT"),
            ("CH", "8238", "", "", "DE-BUS"),
            ("GB", "bt1 1aa", "", "", "GB-NIR"),
            ("GB", "BT48 6DQ", "", "", "GB-NIR"),
            ("GB", "B1 1AA", "", "", "GB"),
            ("GB", "BFPO 58", "", "", "CY-SBA"),
            ("PT", "9000-001", "", "", "PT-30"),
            ("PT", "1000-001", "", "", "PT"),
            ("MC", "98000", "", "", "MC"),
            ("FR", "98000", "", "", "MC"),
        ] {
            let place = told(country, postcode, state, city).unwrap();
            assert_eq!(place.code(), code, "{country} {postcode} {state} {city}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_no_place() {
        for (country, postcode, state) in [
            ("ES", "28001", "GC"),
            ("ES", "35001", "CE"),
            ("RE", "75001", ""),
            ("RE", "97200", ""),
        ] {
            let told = told(country, postcode, state, "");
            assert!(
                matches!(told, Err(NoPlace::Conflict(..))),
                "{country} {postcode} {state}: {told:?}"
            );
        }
        assert_eq!(Place::of(&Address::default()), Err(NoPlace::Country));
    }

    #[test]
    fn an_odd_postcode_is_said_and_tells_nothing() {
        let place = told("ES", "IGHJ987ERT35", "", "").unwrap();
        assert!(place.odd_postcode && place.territory.is_none());
    }

    #[test]
    fn northern_ireland_is_a_member_for_goods_only_and_the_uk_was_one() {
        let place = told("GB", "BT1 1AA", "", "").unwrap();
        let now = jiff::civil::date(2026, 10, 1);
        assert_eq!(place.for_goods(now), Area::Member("XI".into()));
        assert_eq!(place.for_services(now), Area::Third("GB".into()));
        let then = jiff::civil::date(2020, 10, 1);
        assert_eq!(place.for_goods(then), Area::Member("GB".into()));
    }
}
