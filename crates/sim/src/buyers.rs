//! The invented people who buy in the simulated shop. Names, companies, addresses and numbers are fictitious; e-mail
//! addresses are under `example.test`, phone numbers in ranges kept for fiction.

use crate::seed::Seed;
use crate::woocommerce::order::Address;

/// A buyer, with an account or without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Buyer {
    /// Id of the account; 0 for a guest.
    pub customer: u64,
    /// Billing address, e-mail and phone in it.
    pub billing: Address,
    /// Where goods go; most often the billing address.
    pub shipping: Address,
    /// VAT number, or empty.
    pub vat_number: String,
}

const FIRST: [&str; 24] = [
    "Camille",
    "Léa",
    "Hugo",
    "Chloé",
    "Zoé",
    "Noël",
    "Inès",
    "Jules",
    "Ana",
    "Luis",
    "Giulia",
    "Marco",
    "Femke",
    "Sven",
    "Jürgen",
    "Anke",
    "Élodie",
    "François",
    "Maëlle",
    "Théo",
    "Agnès",
    "Bruno",
    "Mina",
    "Otto",
];
const LAST: [&str; 24] = [
    "Exemple",
    "Modèle",
    "Essai",
    "Muster",
    "Beispiel",
    "Ejemplo",
    "Esempio",
    "Voorbeeld",
    "Specimen",
    "D’Essai",
    "Lorem",
    "Ipsum",
    "Dolor",
    "Amet",
    "Fictif",
    "Inventé",
    "Témoin",
    "Patron",
    "Maquette",
    "Croquis",
    "Ébauche",
    "Brouillon",
    "Canevas",
    "Gabarit",
];
const COMPANIES: [&str; 8] = [
    "Société Exemple SARL",
    "Atelier Fictif SAS",
    "Maison Modèle",
    "Muster GmbH",
    "Boutique d’Essai",
    "Comptoir Témoin SARL",
    "Ébauche & Fils",
    "Lorem Ipsum SA",
];

/// Country, state, city, postcode, phone with `#` for digits (ranges kept for fiction; empty where none is known to us); and
/// how many buyers of a hundred live there.
const PLACES: [(&str, &str, &str, &str, &str, u32); 12] = [
    ("FR", "", "Lyon", "69003", "+33 1 99 00 ## ##", 34),
    ("FR", "", "Saint-Étienne", "42000", "+33 1 99 00 ## ##", 20),
    ("FR", "", "Nantes", "44000", "+33 1 99 00 ## ##", 12),
    ("BE", "", "Liège", "4000", "", 8),
    ("DE", "DE-BE", "Berlin", "10115", "+49 30 23125 0##", 7),
    ("ES", "M", "Madrid", "28013", "", 5),
    ("IT", "RM", "Roma", "00184", "", 4),
    ("NL", "", "Utrecht", "3511 AB", "", 4),
    ("GB", "", "London", "EC1A 1BB", "+44 20 7946 00##", 2),
    ("CH", "GE", "Genève", "1201", "", 2),
    ("US", "NY", "New York", "10001", "+1 212 555 01##", 1),
    ("JP", "JP13", "Tokyo", "100-0001", "", 1),
];

/// Accounts and returning guests of a shop with so many orders.
pub(crate) fn buyers(seed: u64, orders: usize) -> (Vec<Buyer>, Vec<Buyer>) {
    let mut stream = Seed::of(seed, 0xB0B5);
    let accounts = (orders / 4).max(8);
    let guests = (orders / 8).max(4);
    let accounts = (0..accounts)
        .map(|index| {
            let company = index % 8 == 3;
            buyer(&mut stream, index, index as u64 + 2, company)
        })
        .collect();
    let guests = (0..guests)
        .map(|index| buyer(&mut stream, 100_000 + index, 0, false))
        .collect();
    (accounts, guests)
}

fn buyer(stream: &mut Seed, index: usize, customer: u64, company: bool) -> Buyer {
    let weights: Vec<u32> = PLACES.iter().map(|place| place.5).collect();
    let place = if company {
        0
    } else {
        stream.weighted(&weights)
    };
    let mut billing = address(stream, index, place);
    let mut vat_number = String::new();
    if company {
        billing.company = format!("{} {index}", COMPANIES[stream.below(COMPANIES.len())]);
        vat_number = french_vat_number(index as u64);
    }
    let mut shipping = billing.clone();
    shipping.email = String::new();
    if stream.chance(0.15) {
        let other = address(stream, index, place);
        shipping.address_1 = other.address_1;
        shipping.city = other.city;
    }
    Buyer {
        customer,
        billing,
        shipping,
        vat_number,
    }
}

fn address(stream: &mut Seed, index: usize, place: usize) -> Address {
    let (country, state, city, postcode, phone, _) = PLACES[place.min(PLACES.len() - 1)];
    let first = FIRST[stream.below(FIRST.len())];
    let last = LAST[stream.below(LAST.len())];
    let plain = |text: &str| -> String {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_lowercase()
    };
    Address {
        first_name: first.to_owned(),
        last_name: last.to_owned(),
        address_1: format!("{} rue de l’Exemple", stream.between(1, 180)),
        address_2: if stream.chance(0.2) {
            "Bât. B, 3ᵉ étage".to_owned()
        } else {
            String::new()
        },
        city: city.to_owned(),
        state: state.to_owned(),
        postcode: postcode.to_owned(),
        country: country.to_owned(),
        email: format!("{}.{}.{index}@example.test", plain(first), plain(last)),
        phone: phone
            .chars()
            .map(|sign| if sign == '#' { digit(stream) } else { sign })
            .collect(),
        ..Address::default()
    }
}

fn digit(stream: &mut Seed) -> char {
    char::from(b'0' + stream.below(10) as u8)
}

/// A French VAT number whose check digits pass (key = (12 + 3 × (SIREN mod 97)) mod 97, and the SIREN's own Luhn digit).
fn french_vat_number(index: u64) -> String {
    let head = format!("123{:05}", index % 100_000);
    let sum: u32 = head
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            match (place % 2, digit * 2) {
                (0, double) if double > 9 => double - 9,
                (0, double) => double,
                _ => digit,
            }
        })
        .sum();
    let siren = format!("{head}{}", (10 - sum % 10) % 10);
    let number: u64 = siren.parse().unwrap_or_default();
    format!("FR{:02}{siren}", (12 + 3 * (number % 97)) % 97)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn addresses_are_plainly_fictitious_and_no_two_buyers_share_one() {
        let (accounts, guests) = buyers(5, 400);
        let emails: Vec<_> = accounts
            .iter()
            .chain(&guests)
            .map(|b| &b.billing.email)
            .collect();
        assert!(emails.iter().all(|email| email.ends_with("@example.test")));
        assert_eq!(emails.iter().collect::<BTreeSet<_>>().len(), emails.len());
        let numbers: Vec<_> = accounts
            .iter()
            .map(|buyer| &buyer.vat_number)
            .filter(|number| !number.is_empty())
            .collect();
        assert!(numbers.len() >= 12);
        assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len());
    }

    #[test]
    fn vat_numbers_pass_their_check_digits() {
        // The number of the tapes, which passes: 11 is the key of 123456782.
        assert_eq!((12 + 3 * (123_456_782u64 % 97)) % 97, 11);
        assert_eq!(french_vat_number(45_678), "FR11123456782");
    }
}
