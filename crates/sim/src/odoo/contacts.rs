//! What Odoo does around contacts and products when they are created or written.

use super::schema::M;
use super::session::{Session, Vals};
use super::store::Row;
use super::trouble::{Done, Trouble};
use super::value::Value;
use super::version::Version;
use serde_json::{Value as Json, json};

fn default(vals: &mut Vals, name: &str, value: impl Into<Json>) {
    if !vals.contains_key(name) {
        vals.insert(name.to_owned(), value.into());
    }
}

impl Session<'_> {
    /// Defaults, before anything is stored.
    pub(super) fn before_create(&mut self, model: M, vals: &mut Vals) -> Done<()> {
        match model {
            M::Partner => {
                default(vals, "active", true);
                default(vals, "type", "contact");
                rename_company_type(vals);
            }
            M::Template => {
                default(vals, "active", true);
                default(vals, "sale_ok", true);
                default(vals, "list_price", 1.0);
                default(vals, "uom_id", 1);
                let kind = match self.version() < Version::V18 {
                    true => "detailed_type",
                    false => "type",
                };
                default(vals, kind, "consu");
                if !vals.contains_key("taxes_id") {
                    let tax = self
                        .store
                        .follow(M::Company, &Value::Ref(1), "account_sale_tax_id");
                    let ids: Vec<i64> = tax.id().into_iter().collect();
                    vals.insert("taxes_id".to_owned(), json!([[6, 0, ids]]));
                }
            }
            M::Product => default(vals, "active", true),
            M::Order => self.order_defaults(vals)?,
            M::Line => self.line_defaults(vals)?,
            M::Tax => {
                default(vals, "active", true);
                default(vals, "type_tax_use", "sale");
                default(vals, "amount_type", "percent");
                default(vals, "sequence", 1);
                default(vals, "company_id", 1);
                default(vals, "country_id", self.company_country());
                default(vals, "tax_group_id", 1);
                price_include(vals);
            }
            M::Data => self.check_key_is_new(vals)?,
            M::Pricelist
            | M::PaymentTerm
            | M::Team
            | M::Carrier
            | M::Position
            | M::Warehouse
            | M::PickingType
            | M::Bom
            | M::Location
            | M::Unit
            | M::Currency
            | M::Lang => default(vals, "active", true),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn before_write(&mut self, model: M, row: &Row, vals: &Vals) -> Done<()> {
        match model {
            M::Line => self.check_line_write(row, vals),
            _ => Ok(()),
        }
    }

    /// What is worked out from what was given, before the record is stored for the first time.
    pub(super) fn complete(&mut self, model: M, row: &mut Row, vals: &Vals) -> Done<()> {
        match model {
            M::Order => self.complete_order(row, vals),
            M::Line => self.complete_line(row, vals),
            M::Partner => self.check_partner(row),
            M::Product => self.check_barcode(row),
            _ => Ok(()),
        }
    }

    /// The same for a record that changes.
    pub(super) fn adjust(
        &mut self,
        model: M,
        before: &Row,
        row: &mut Row,
        vals: &Vals,
    ) -> Done<()> {
        match model {
            M::Order => {
                self.adjust_order(row, vals);
                Ok(())
            }
            M::Line => {
                self.adjust_line(before, row, vals);
                Ok(())
            }
            M::Partner => {
                if let Some(kind) = vals.get("company_type") {
                    let slot = self.store.slot(M::Partner, "is_company");
                    row.slots[slot] = Value::Bool(kind == "company");
                }
                self.check_partner(row)
            }
            M::Tax => {
                if let Some(mode) = vals.get("price_include_override") {
                    let slot = self.store.slot(M::Tax, "price_include");
                    row.slots[slot] = Value::Bool(mode == "tax_included");
                }
                Ok(())
            }
            M::Product => self.check_barcode(row),
            _ => Ok(()),
        }
    }

    pub(super) fn after_write(&mut self, model: M, id: i64, vals: &Vals, new: bool) -> Done<()> {
        match model {
            M::Partner if vals.contains_key("vat") || vals.contains_key("parent_id") || new => {
                self.sync_vat(id);
                Ok(())
            }
            M::Template => self.after_template(id, vals, new),
            M::Order | M::Line => {
                self.mark_stale(model, id);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn before_unlink(&mut self, model: M, id: i64) -> Done<()> {
        match model {
            M::Order => self.unlink_order(id),
            M::Line => self.unlink_line(id),
            M::Partner => {
                let used = ["partner_id", "partner_invoice_id", "partner_shipping_id"]
                    .iter()
                    .any(|field| !self.store.pointing(M::Order, field, id).is_empty());
                self.check_unused(used, M::Order, "Customer", "partner_id")
            }
            M::Product => {
                let used = !self.store.pointing(M::Line, "product_id", id).is_empty();
                self.check_unused(used, M::Line, "Product", "product_id")
            }
            _ => Ok(()),
        }
    }

    fn check_unused(&self, used: bool, by: M, label: &str, field: &str) -> Done<()> {
        if !used {
            return Ok(());
        }
        Err(Trouble::validation(format!(
            "The operation cannot be completed: another model requires the record being deleted. If possible, archive it instead.\n\nModel: {} ({})\nField: {label} ({field})\n",
            by.title(),
            by.name()
        )))
    }

    fn company_country(&self) -> i64 {
        self.store
            .follow(M::Company, &Value::Ref(1), "country_id")
            .id()
            .unwrap_or(75)
    }

    fn check_key_is_new(&self, vals: &Vals) -> Done<()> {
        let text = |name: &str| vals.get(name).and_then(Json::as_str).unwrap_or_default();
        let key = format!("{}.{}", text("module"), text("name"));
        match self.store.external(&key) {
            None => Ok(()),
            Some(_) => Err(Trouble::validation(
                "The operation cannot be completed: You cannot have multiple records with the same external ID in the same module!",
            )),
        }
    }

    /// A name where one is needed, and a VAT number that passes.
    fn check_partner(&mut self, row: &Row) -> Done<()> {
        let get = |name: &str| self.store.get(M::Partner, row, name);
        if get("name").str().is_empty() && get("type").str() == "contact" {
            return Err(Trouble::validation(
                "The operation cannot be completed: Contacts require a name",
            ));
        }
        let lang = get("lang");
        if lang.truthy() && !self.installed(lang.str()) {
            let lang = lang.str();
            return Err(Trouble::value(format!(
                "Wrong value for res.partner.lang: '{lang}'"
            )));
        }
        let vat = get("vat").str().to_owned();
        let country = self.store.follow(M::Country, &get("country_id"), "code");
        if vat_passes(&vat, country.str()) {
            return Ok(());
        }
        let name = get("name").str().to_owned();
        let bare = vat.strip_prefix("FR").unwrap_or(&vat);
        Err(Trouble::validation(match self.version() >= Version::V18 {
            true => format!(
                "\nThe VAT number [{bare}] for partner [{name}] does not seem to be valid.  \nNote: the expected format is FR23334175221"
            ),
            false => format!(
                "\nThe VAT number [{vat}] for partner [{name}] does not seem to be valid. \nNote: the expected format is FR23334175221"
            ),
        }))
    }

    fn installed(&self, language: &str) -> bool {
        self.store
            .with_text(M::Lang, "code", language)
            .iter()
            .filter_map(|id| self.store.row(M::Lang, *id))
            .any(|row| self.store.get(M::Lang, row, "active").truthy())
    }

    /// A VAT number belongs to the whole commercial entity: contacts and addresses below a company carry the company's.
    fn sync_vat(&mut self, id: i64) {
        let Some(row) = self.store.row(M::Partner, id) else {
            return;
        };
        let slot = self.store.slot(M::Partner, "vat");
        let head = self.store.commercial(row);
        let vat = match self.store.row(M::Partner, head) {
            Some(head) => head.slots[slot].clone(),
            None => return,
        };
        let mut todo = self.store.pointing(M::Partner, "parent_id", head).to_vec();
        while let Some(child) = todo.pop() {
            let Some(row) = self.store.row(M::Partner, child) else {
                continue;
            };
            if self.store.get(M::Partner, row, "is_company").truthy() {
                continue;
            }
            if row.slots[slot] != vat {
                let mut row = row.clone();
                row.slots[slot] = vat.clone();
                row.written = self.env.now;
                self.store.put(M::Partner, row);
            }
            todo.extend_from_slice(self.store.pointing(M::Partner, "parent_id", child));
        }
    }

    /// Barcodes are the one thing of a product that is unique.
    fn check_barcode(&mut self, row: &Row) -> Done<()> {
        let barcode = self.store.get(M::Product, row, "barcode").str().to_owned();
        if barcode.is_empty() {
            return Ok(());
        }
        let taken: Vec<&Row> = self
            .store
            .with_text(M::Product, "barcode", &barcode)
            .iter()
            .filter(|id| **id != row.id)
            .filter_map(|id| self.store.row(M::Product, *id))
            .collect();
        if taken.is_empty() {
            return Ok(());
        }
        let mut names: Vec<String> = taken
            .iter()
            .map(|row| self.store.display(M::Product, row))
            .collect();
        names.push(self.store.display(M::Product, row));
        Err(Trouble::validation(match self.version() >= Version::V18 {
            true => format!(
                "Barcode(s) already assigned:\n\n- Barcode \"{barcode}\" already assigned to product(s): {}\n\nNote: products that you don't have access to will not be shown above.",
                names.join(" and ")
            ),
            false => format!(
                "Barcode(s) already assigned:\n\n- Barcode \"{barcode}\" already assigned to product(s): {}",
                names.join(", ")
            ),
        }))
    }

    /// The template of a variant that is created by itself.
    pub(super) fn create_template(&mut self, vals: &Vals) -> Done<i64> {
        let mut vals = vals.clone();
        self.before_create(M::Template, &mut vals)?;
        // No variant of its own: the caller is making it.
        vals.insert("product_variant_ids".to_owned(), json!([]));
        self.create(M::Template, &vals)
    }

    /// Values of a variant that live on its template.
    pub(super) fn write_through(&mut self, model: M, id: i64, vals: &Vals) -> Done<()> {
        let template = self
            .store
            .follow(model, &Value::Ref(id), "product_tmpl_id")
            .id();
        match template {
            Some(template) => self.write(M::Template, &[template], vals),
            None => Ok(()),
        }
    }

    fn after_template(&mut self, id: i64, vals: &Vals, new: bool) -> Done<()> {
        let mut own = Vals::new();
        for name in ["default_code", "barcode"] {
            if let Some(value) = vals.get(name) {
                own.insert(name.to_owned(), value.clone());
            }
        }
        if new && !vals.contains_key("product_variant_ids") {
            own.insert("product_tmpl_id".to_owned(), Json::from(id));
            return self.create(M::Product, &own).map(drop);
        }
        let variants = self
            .store
            .pointing(M::Product, "product_tmpl_id", id)
            .to_vec();
        if !own.is_empty() && variants.len() == 1 {
            return self.write(M::Product, &variants, &own);
        }
        // 17 and later move the variant's write date with its template's; 16 does not.
        if !new && self.version().variants_move() {
            for variant in variants {
                if let Some(row) = self.store.row(M::Product, variant) {
                    let mut row = row.clone();
                    row.written = self.env.now;
                    self.store.put(M::Product, row);
                }
            }
        }
        Ok(())
    }
}

fn rename_company_type(vals: &mut Vals) {
    if let Some(kind) = vals.get("company_type") {
        let company = kind == "company";
        vals.insert("is_company".to_owned(), Json::Bool(company));
    }
}

fn price_include(vals: &mut Vals) {
    if let Some(mode) = vals.get("price_include_override") {
        let included = mode == "tax_included";
        vals.insert("price_include".to_owned(), Json::Bool(included));
    }
}

/// French numbers are checked by their key, as far as this simulator goes; others pass.
fn vat_passes(vat: &str, country: &str) -> bool {
    let bare = match vat.strip_prefix("FR") {
        Some(bare) => bare,
        None if country == "FR" && !vat.is_empty() && vat.chars().all(|c| c.is_ascii_digit()) => {
            vat
        }
        None => return true,
    };
    if bare.len() != 11 || !bare.is_ascii() {
        return false;
    }
    let (key, siren) = bare.split_at(2);
    match (key.parse::<u64>(), siren.parse::<u64>()) {
        (Ok(key), Ok(siren)) => key == (12 + 3 * (siren % 97)) % 97,
        // Keys with letters follow another rule, which is not checked here.
        (Err(_), Ok(_)) => true,
        _ => false,
    }
}
