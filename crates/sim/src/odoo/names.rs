//! What records are called, and the other things worked out from them.

use super::schema::M;
use super::store::{Row, Store};
use super::value::Value;

impl Store {
    /// `display_name`.
    pub(super) fn display(&self, model: M, row: &Row) -> String {
        let get = |name: &str| self.get(model, row, name);
        match model {
            M::Partner => self.partner_name(row),
            M::Product => {
                let name = get("name").str().to_owned();
                match get("default_code").str() {
                    "" => name,
                    code => format!("[{code}] {name}"),
                }
            }
            M::Template => {
                let name = get("name").str().to_owned();
                match get("default_code").str() {
                    "" => name,
                    code => format!("[{code}] {name}"),
                }
            }
            M::Pricelist => {
                let currency = self.follow(M::Currency, &get("currency_id"), "name");
                format!("{} ({})", get("name").str(), currency.str())
            }
            M::Line => {
                let order = self.follow(M::Order, &get("order_id"), "name");
                format!("{} - {}", order.str(), get("name").str())
            }
            M::Location => get("complete_name").str().to_owned(),
            M::Data => get("complete_name").str().to_owned(),
            M::Parameter => get("key").str().to_owned(),
            M::Bom => self.name_of(M::Template, &get("product_tmpl_id")),
            M::BomLine => self.name_of(M::Product, &get("product_id")),
            M::StockMove => self.name_of(M::Product, &get("product_id")),
            M::Quant => self.name_of(M::Product, &get("product_id")),
            M::State => {
                let country = self.follow(M::Country, &get("country_id"), "code");
                format!("{} ({})", get("name").str(), country.str())
            }
            _ => get("name").str().to_owned(),
        }
    }

    /// The display name of what a many2one points at.
    pub(super) fn name_of(&self, model: M, link: &Value) -> String {
        match link.id().and_then(|id| self.row(model, id)) {
            // A state is shown by its bare name inside other records.
            Some(row) if model == M::State => self.get(model, row, "name").str().to_owned(),
            Some(row) => self.display(model, row),
            None => String::new(),
        }
    }

    fn partner_name(&self, row: &Row) -> String {
        let name = self.get(M::Partner, row, "name").str().to_owned();
        let company = self.get(M::Partner, row, "is_company").truthy();
        let parent = self.get(M::Partner, row, "parent_id");
        let Some(parent) = parent.id().and_then(|id| self.row(M::Partner, id)) else {
            return name;
        };
        if company {
            return name;
        }
        let name = match (name.is_empty(), self.get(M::Partner, row, "type").str()) {
            (true, "invoice") => "Invoice Address".to_owned(),
            (true, "delivery") => "Delivery Address".to_owned(),
            (true, "other") => "Other Address".to_owned(),
            _ => name,
        };
        format!("{}, {name}", self.get(M::Partner, parent, "name").str())
    }

    /// The partner that answers for this one: itself, or the nearest company above it.
    pub(super) fn commercial(&self, row: &Row) -> i64 {
        let mut row = row;
        // A chain of contacts is short; the bound keeps a circle from going on for ever.
        for _ in 0..8 {
            let parent = self.get(M::Partner, row, "parent_id");
            let company = self.get(M::Partner, row, "is_company").truthy();
            match parent.id().and_then(|id| self.row(M::Partner, id)) {
                Some(parent) if !company => row = parent,
                _ => break,
            }
        }
        row.id
    }

    /// The currency of the company.
    pub(super) fn company_currency(&self) -> Value {
        self.follow(M::Company, &Value::Ref(1), "currency_id")
    }

    /// The first variant of a template.
    pub(super) fn variant(&self, template: i64) -> Option<&Row> {
        let id = self
            .pointing(M::Product, "product_tmpl_id", template)
            .first()?;
        self.row(M::Product, *id)
    }

    /// Whether stock of the product is kept.
    pub(super) fn storable(&self, product: i64) -> bool {
        let Some(row) = self.row(M::Product, product) else {
            return false;
        };
        self.get(M::Product, row, "is_storable").truthy()
            || self.get(M::Product, row, "detailed_type").str() == "product"
    }

    /// Whether it is delivered at all: anything but a service.
    pub(super) fn delivered_as_goods(&self, product: i64) -> bool {
        self.follow(M::Product, &Value::Ref(product), "type").str() != "service"
    }

    /// How far an order's deliveries are.
    pub(super) fn delivery_status(&self, order: i64) -> Value {
        let states: Vec<String> = self
            .pointing(M::Picking, "sale_id", order)
            .iter()
            .filter_map(|id| self.row(M::Picking, *id))
            .map(|row| self.get(M::Picking, row, "state").str().to_owned())
            .filter(|state| state != "cancel")
            .collect();
        let done = states.iter().filter(|state| *state == "done").count();
        match states.len() {
            0 => Value::Empty,
            all if all == done => Value::text("full"),
            _ if done > 0 => Value::text("partial"),
            _ => Value::text("pending"),
        }
    }
}
