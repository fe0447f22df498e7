//! Who a buyer is: the customer a target should know for an order.

use comptoir_model::address::Address;
use comptoir_model::customer::{ContactRole, Customer};
use comptoir_model::key::RemoteId;
use comptoir_model::order::Order;

/// The customer behind an order: the company when there is one, else the person.
pub fn customer_of(order: &Order) -> Customer {
    let main = if order.bill_to.is_empty() {
        &order.ship_to
    } else {
        &order.bill_to
    };
    let company = main.company.trim();
    let is_company = !company.is_empty();
    let name = [company.to_owned(), main.full_name(), order.email.clone()]
        .into_iter()
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| format!("#{}", order.number));
    Customer {
        is_company,
        name,
        email: order.email.trim().to_owned(),
        phone: main.phone.trim().to_owned(),
        vat_number: order.vat_number.clone(),
        address: main.clone(),
        language: order.language.clone(),
        guest: order.customer.is_none(),
        ..Customer::default()
    }
}

/// The address that invoices go to.
pub fn main_address(order: &Order) -> &Address {
    if order.bill_to.is_empty() {
        &order.ship_to
    } else {
        &order.bill_to
    }
}

/// The address goods go to, when it needs a contact of its own beside the customer's main one: another place, another
/// addressee, or a person at a company.
pub fn delivery_contact(order: &Order) -> Option<&Address> {
    if order.ship_to.is_empty() {
        return None;
    }
    let main = main_address(order);
    let person_at_company =
        !main.company.trim().is_empty() && !order.ship_to.full_name().is_empty();
    (person_at_company || order.ship_to.fingerprint() != main.fingerprint())
        .then_some(&order.ship_to)
}

/// A contact of a customer in the target.
pub fn contact(parent: RemoteId, role: ContactRole, address: &Address, language: &str) -> Customer {
    let name = [address.full_name(), address.company.trim().to_owned()]
        .into_iter()
        .find(|name| !name.is_empty())
        .unwrap_or_default();
    Customer {
        parent: Some(parent),
        role: Some(role),
        name,
        phone: address.phone.trim().to_owned(),
        email: address.email.trim().to_owned(),
        address: address.clone(),
        language: language.to_owned(),
        ..Customer::default()
    }
}

/// An e-mail address as it is compared: trimmed, all lower case. Tags and dots stay: they may be other people.
pub fn folded_email(email: &str) -> String {
    email.trim().to_lowercase()
}

/// A VAT number as it is compared: letters and digits only, upper case.
pub fn folded_vat_number(number: &str) -> String {
    number
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Order {
        let mut order = Order::empty("1", "EUR".parse().unwrap());
        order.bill_to = Address {
            first_name: "Marie".into(),
            last_name: "Exemple".into(),
            line1: "1 rue".into(),
            city: "Lyon".into(),
            ..Address::default()
        };
        order.ship_to = order.bill_to.clone();
        order.email = " Marie@Example.TEST ".into();
        order
    }

    #[test]
    fn one_address_needs_no_second_contact_but_a_person_at_a_company_does() {
        let mut order = order();
        assert_eq!(delivery_contact(&order), None);
        order.ship_to.city = "Paris".into();
        assert!(delivery_contact(&order).is_some());
        order.ship_to = order.bill_to.clone();
        order.bill_to.company = "Exemple SARL".into();
        order.ship_to.company = "Exemple SARL".into();
        assert!(delivery_contact(&order).is_some());
        assert!(customer_of(&order).is_company);
        assert_eq!(customer_of(&order).name, "Exemple SARL");
    }

    #[test]
    fn comparison_keeps_what_may_be_another_person() {
        assert_eq!(
            folded_email(" A.B+shop@Example.TEST "),
            "a.b+shop@example.test"
        );
        assert_eq!(folded_vat_number("fr 11.123 456 782"), "FR11123456782");
    }
}
