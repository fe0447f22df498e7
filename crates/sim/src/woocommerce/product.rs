//! A product of the simulated shop and its JSON.

use super::order::Meta;
use super::render::{ALL_METHODS, Look, metas, money, number};
use crate::catalogue::{Item, Sort};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// A product or a variation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Product {
    pub id: u64,
    pub parent: u64,
    pub kind: &'static str,
    pub name: String,
    pub sku: String,
    pub gtin: String,
    pub regular_price: String,
    pub sale_price: String,
    pub tax_class: String,
    pub taxable: bool,
    pub is_virtual: bool,
    pub weight: String,
    pub status: String,
    pub manage_stock: bool,
    pub stock: Option<Decimal>,
    /// `no`, `notify` or `yes`.
    pub backorders: String,
    pub options: Vec<(String, String)>,
    pub variations: Vec<u64>,
    pub created: Timestamp,
    pub modified: Timestamp,
    pub meta: Vec<Meta>,
}

impl Product {
    /// The catalogue's item as the shop keeps it.
    pub fn of(item: &Item, at: Timestamp) -> Self {
        let variable = item.sort == Sort::Variable;
        Product {
            id: item.id,
            parent: item.parent.unwrap_or_default(),
            kind: match item.sort {
                Sort::Variable => "variable",
                Sort::Variation => "variation",
                Sort::Bundle => "bundle",
                _ => "simple",
            },
            name: item.name.clone(),
            sku: item.sku.clone(),
            gtin: item.gtin.clone(),
            regular_price: if variable {
                String::new()
            } else {
                money(item.price, 2)
            },
            sale_price: String::new(),
            tax_class: item.class.slug().to_owned(),
            taxable: item.taxable,
            is_virtual: matches!(item.sort, Sort::Virtual | Sort::GiftCard),
            weight: item
                .weight
                .map(|weight| weight.to_string())
                .unwrap_or_default(),
            status: "publish".to_owned(),
            manage_stock: item.stock.is_some(),
            stock: item.stock.map(Decimal::from),
            backorders: "no".to_owned(),
            options: item
                .options
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            variations: Vec::new(),
            created: at,
            modified: at,
            meta: Vec::new(),
        }
    }

    /// A new simple product.
    pub fn named(id: u64, name: &str, at: Timestamp) -> Self {
        Product {
            id,
            parent: 0,
            kind: "simple",
            name: name.to_owned(),
            sku: String::new(),
            gtin: String::new(),
            regular_price: String::new(),
            sale_price: String::new(),
            tax_class: String::new(),
            taxable: true,
            is_virtual: false,
            weight: String::new(),
            status: "publish".to_owned(),
            manage_stock: false,
            stock: None,
            backorders: "no".to_owned(),
            options: Vec::new(),
            variations: Vec::new(),
            created: at,
            modified: at,
            meta: Vec::new(),
        }
    }

    /// What it costs now.
    pub fn price(&self) -> &str {
        if self.sale_price.is_empty() {
            &self.regular_price
        } else {
            &self.sale_price
        }
    }

    fn slug(&self) -> String {
        let mut slug = String::new();
        for sign in self.name.to_lowercase().chars() {
            match sign {
                'é' | 'è' | 'ê' => slug.push('e'),
                'à' | 'â' => slug.push('a'),
                sign if sign.is_ascii_alphanumeric() => slug.push(sign),
                _ if slug.ends_with('-') || slug.is_empty() => {}
                _ => slug.push('-'),
            }
        }
        slug.trim_end_matches('-').to_owned()
    }

    fn in_stock(&self) -> &'static str {
        match self.stock {
            Some(stock) if stock <= Decimal::ZERO => "outofstock",
            _ => "instock",
        }
    }

    /// As JSON.
    pub fn json(&self, look: &Look) -> Value {
        if self.kind == "variation" {
            self.variation_json(look)
        } else {
            self.product_json(look)
        }
    }

    /// What products and variations share, in the order of both.
    fn dates(&self, look: &Look, put: &mut dyn FnMut(&str, Value)) {
        put("date_created", look.local(self.created).into());
        put("date_created_gmt", Look::gmt(self.created).into());
        put("date_modified", look.local(self.modified).into());
        put("date_modified_gmt", Look::gmt(self.modified).into());
    }

    fn sale(&self, put: &mut dyn FnMut(&str, Value)) {
        put("price", self.price().into());
        put("regular_price", self.regular_price.as_str().into());
        put("sale_price", self.sale_price.as_str().into());
        for name in [
            "date_on_sale_from",
            "date_on_sale_from_gmt",
            "date_on_sale_to",
            "date_on_sale_to_gmt",
        ] {
            put(name, Value::Null);
        }
        put("on_sale", (!self.sale_price.is_empty()).into());
    }

    fn tax_status(&self) -> &'static str {
        if self.taxable { "taxable" } else { "none" }
    }

    fn product_json(&self, look: &Look) -> Value {
        let mut out = Map::new();
        let mut put = |key: &str, value: Value| {
            out.insert(key.to_owned(), value);
        };
        put("id", self.id.into());
        put("name", self.name.as_str().into());
        put("slug", self.slug().into());
        put(
            "permalink",
            format!("{}/product/{}/", look.home, self.slug()).into(),
        );
        self.dates(look, &mut put);
        put("type", self.kind.into());
        put("status", self.status.as_str().into());
        put("featured", false.into());
        put("catalog_visibility", "visible".into());
        put("description", "".into());
        put("short_description", "".into());
        put("sku", self.sku.as_str().into());
        self.sale(&mut put);
        put("purchasable", true.into());
        put("total_sales", 0.into());
        put("virtual", self.is_virtual.into());
        self.downloads(&mut put);
        put("external_url", "".into());
        put("button_text", "".into());
        put("tax_status", self.tax_status().into());
        put("tax_class", self.tax_class.as_str().into());
        self.stock_json(&mut put);
        put("low_stock_amount", Value::Null);
        put("sold_individually", false.into());
        self.parcel(&mut put);
        put("reviews_allowed", true.into());
        put("average_rating", "0.00".into());
        put("rating_count", 0.into());
        put("upsell_ids", json!([]));
        put("cross_sell_ids", json!([]));
        put("parent_id", self.parent.into());
        put("purchase_note", "".into());
        put(
            "categories",
            json!([{ "id": 15, "name": "Uncategorized", "slug": "uncategorized" }]),
        );
        if look.recent {
            put("brands", json!([]));
        }
        for name in ["tags", "images"] {
            put(name, json!([]));
        }
        put("attributes", self.attributes());
        put("default_attributes", json!([]));
        put("variations", self.variations.clone().into());
        put("grouped_products", json!([]));
        put("menu_order", 0.into());
        put(
            "price_html",
            format!("<span>{}</span>", self.price()).into(),
        );
        put("related_ids", json!([]));
        put("meta_data", metas(&self.meta));
        put("stock_status", self.in_stock().into());
        put("has_options", (self.kind == "variable").into());
        put("post_password", "".into());
        if look.recent {
            put("global_unique_id", self.gtin.as_str().into());
        }
        let this = format!("products/{}", self.id);
        put("_links", look.links(&this, ALL_METHODS, &[]));
        Value::Object(out)
    }

    fn downloads(&self, put: &mut dyn FnMut(&str, Value)) {
        put("downloadable", false.into());
        put("downloads", json!([]));
        put("download_limit", (-1).into());
        put("download_expiry", (-1).into());
    }

    fn stock_json(&self, put: &mut dyn FnMut(&str, Value)) {
        put("manage_stock", self.manage_stock.into());
        put("stock_quantity", self.stock.map_or(Value::Null, number));
        put("backorders", self.backorders.as_str().into());
        put("backorders_allowed", (self.backorders != "no").into());
        put("backordered", false.into());
    }

    fn parcel(&self, put: &mut dyn FnMut(&str, Value)) {
        put("weight", self.weight.as_str().into());
        put(
            "dimensions",
            json!({ "length": "", "width": "", "height": "" }),
        );
        put("shipping_required", (!self.is_virtual).into());
        put("shipping_taxable", (!self.is_virtual).into());
        put("shipping_class", "".into());
        put("shipping_class_id", 0.into());
    }

    fn attributes(&self) -> Value {
        if self.kind != "variable" {
            return json!([]);
        }
        let names: Vec<&str> = self.options.iter().map(|(name, _)| name.as_str()).collect();
        let mut seen: Vec<&str> = Vec::new();
        let mut out = Vec::new();
        for name in names {
            if seen.contains(&name) {
                continue;
            }
            let values: Vec<&str> = self
                .options
                .iter()
                .filter(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
                .collect();
            out.push(json!({
                "id": 0, "name": name, "slug": name, "position": seen.len(), "visible": true,
                "variation": true, "options": values,
            }));
            seen.push(name);
        }
        Value::Array(out)
    }

    fn variation_json(&self, look: &Look) -> Value {
        let mut out = Map::new();
        let mut put = |key: &str, value: Value| {
            out.insert(key.to_owned(), value);
        };
        put("id", self.id.into());
        if look.recent {
            put("type", "variation".into());
        }
        self.dates(look, &mut put);
        put("description", "".into());
        put(
            "permalink",
            format!("{}/product/{}/", look.home, self.slug()).into(),
        );
        put("sku", self.sku.as_str().into());
        if look.recent {
            put("global_unique_id", self.gtin.as_str().into());
        }
        self.sale(&mut put);
        put("status", self.status.as_str().into());
        put("purchasable", true.into());
        put("virtual", self.is_virtual.into());
        self.downloads(&mut put);
        put("tax_status", self.tax_status().into());
        put("tax_class", self.tax_class.as_str().into());
        put("manage_stock", self.manage_stock.into());
        put("stock_quantity", self.stock.map_or(Value::Null, number));
        put("stock_status", self.in_stock().into());
        put("backorders", self.backorders.as_str().into());
        put("backorders_allowed", (self.backorders != "no").into());
        put("backordered", false.into());
        put("low_stock_amount", Value::Null);
        put("weight", self.weight.as_str().into());
        put(
            "dimensions",
            json!({ "length": "", "width": "", "height": "" }),
        );
        put("shipping_class", "".into());
        put("shipping_class_id", 0.into());
        put("image", Value::Null);
        if look.recent {
            put("gallery_image_ids", json!([]));
        }
        let option = |(name, value): &(String, String)| json!({ "id": 0, "name": name, "slug": name.to_lowercase(), "option": value });
        put("attributes", self.options.iter().map(option).collect());
        put("menu_order", 0.into());
        put("meta_data", metas(&self.meta));
        let values: Vec<&str> = self
            .options
            .iter()
            .map(|(_, value)| value.as_str())
            .collect();
        put("name", values.join(", ").into());
        put("parent_id", self.parent.into());
        let this = format!("products/{}/variations/{}", self.parent, self.id);
        let up = [("up", format!("products/{}", self.parent))];
        put("_links", look.links(&this, ALL_METHODS, &up));
        Value::Object(out)
    }
}
