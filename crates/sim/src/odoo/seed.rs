//! What is in the database from the start.

use super::schema::{M, Source};
use super::store::Store;
use super::value::Value;
use super::{ErpOptions, ErpProduct, ErpTax, HUB, PERSON, Rounding, Version};
use comptoir_model::money::Currency;
use jiff::Timestamp;
use rust_decimal::Decimal;

/// The location where stock lies.
pub(super) const STOCK: i64 = 8;
/// The location where goods go.
pub(super) const CUSTOMERS: i64 = 5;

const UNION: &[&str] = &[
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT",
    "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// Whether a country is in the customs union of VAT that the fiscal positions speak of.
pub(super) fn in_union(code: &str) -> bool {
    UNION.contains(&code)
}

/// Countries with the ids that Odoo gives them, as far as they are known from tapes; the others follow.
const COUNTRIES: &[(i64, &str, &str)] = &[
    (43, "CH", "Switzerland"),
    (57, "DE", "Germany"),
    (68, "ES", "Spain"),
    (75, "FR", "France"),
    (113, "JP", "Japan"),
    (187, "RE", "Réunion"),
    (231, "GB", "United Kingdom"),
    (233, "US", "United States"),
];

const OTHERS: &str = "AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CI CK CL CM CN CO CR CU CV CW CX CY CZ DJ DK DM DO DZ EC EE EG EH ER ET FI FJ FK FM FO GA GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// States: country, code, name.
const STATES: &[(&str, &str, &str)] = &[
    ("US", "AL", "Alabama"),
    ("US", "AZ", "Arizona"),
    ("US", "CA", "California"),
    ("US", "CO", "Colorado"),
    ("US", "FL", "Florida"),
    ("US", "GA", "Georgia"),
    ("US", "IL", "Illinois"),
    ("US", "MA", "Massachusetts"),
    ("US", "NJ", "New Jersey"),
    ("US", "NY", "New York"),
    ("US", "OH", "Ohio"),
    ("US", "OR", "Oregon"),
    ("US", "PA", "Pennsylvania"),
    ("US", "TX", "Texas"),
    ("US", "VA", "Virginia"),
    ("US", "WA", "Washington"),
    ("US", "AA", "Armed Forces Americas"),
    ("CA", "BC", "British Columbia"),
    ("CA", "ON", "Ontario"),
    ("CA", "QC", "Quebec"),
    ("ES", "B", "Barcelona"),
    ("ES", "CA", "Cádiz"),
    ("ES", "CE", "Ceuta"),
    ("ES", "GC", "Las Palmas"),
    ("ES", "M", "Madrid"),
    ("ES", "ME", "Melilla"),
    ("ES", "TF", "Santa Cruz de Tenerife"),
    ("ES", "V", "Valencia"),
    ("IT", "MI", "Milano"),
    ("IT", "RM", "Roma"),
    ("IT", "TO", "Torino"),
];

struct Seeder<'a> {
    store: &'a mut Store,
    now: Timestamp,
}

impl Seeder<'_> {
    fn add(&mut self, model: M, id: i64, values: &[(&str, Value)], key: &str) {
        let mut row = self.store.blank(model, id, 1, self.now);
        for (name, value) in values {
            let slot = self.store.slot(model, name);
            row.slots[slot] = value.clone();
        }
        if let Some(active) = self.store.schema(model).slot("active")
            && row.slots[active] == Value::Empty
        {
            row.slots[active] = Value::Bool(true);
        }
        self.store.put(model, row);
        self.store.reserve_ids(model, id);
        if !key.is_empty() {
            self.key(model, id, key);
        }
    }

    fn key(&mut self, model: M, id: i64, key: &str) {
        let (module, name) = super::store::split_key(key);
        let data = self.store.next_id(M::Data);
        let values = [
            ("module", Value::text(module)),
            ("name", Value::text(name)),
            ("model", Value::text(model.name())),
            ("res_id", Value::Int(id)),
            ("noupdate", Value::Bool(true)),
        ];
        self.add(M::Data, data, &values, "");
    }
}

fn text(text: &str) -> (&'static str, Value) {
    ("name", Value::text(text))
}

/// Fills an empty database.
pub(super) fn fill(
    store: &mut Store,
    options: &ErpOptions,
    products: &[ErpProduct],
    taxes: &[ErpTax],
    currencies: &[Currency],
) {
    let mut seeder = Seeder {
        store,
        now: Timestamp::now(),
    };
    places(&mut seeder);
    money(&mut seeder, currencies);
    people(&mut seeder, options);
    trade(&mut seeder, options, taxes);
    goods(&mut seeder, options, products, taxes);
    technical(&mut seeder, options);
}

fn places(seeder: &mut Seeder<'_>) {
    let named = COUNTRIES.iter().map(|(id, code, name)| (*id, *code, *name));
    let others = OTHERS.split(' ').enumerate();
    let others = others.map(|(at, code)| (300 + at as i64, code, code));
    let mut states = 0;
    for (id, code, name) in named.chain(others) {
        // Odoo calls the United Kingdom `base.uk`.
        let key = if code == "GB" {
            "uk".to_owned()
        } else {
            code.to_lowercase()
        };
        let mut values = vec![text(name), ("code", Value::text(code))];
        if in_union(code) || code == "GB" {
            values.push(("vat_label", Value::text("VAT")));
        }
        seeder.add(M::Country, id, &values, &format!("base.{key}"));
        for (_, state, name) in STATES.iter().filter(|(country, ..)| *country == code) {
            states += 1;
            let values = [
                text(name),
                ("code", Value::text(*state)),
                ("country_id", Value::Ref(id)),
            ];
            let key = format!(
                "base.state_{}_{}",
                code.to_lowercase(),
                state.to_lowercase()
            );
            seeder.add(M::State, states, &values, &key);
        }
    }
}

fn money(seeder: &mut Seeder<'_>, currencies: &[Currency]) {
    for (at, currency) in currencies.iter().enumerate() {
        let id = at as i64 + 1;
        let values = [
            text(currency.code()),
            ("symbol", Value::text(currency.code())),
            ("rounding", Value::Number(currency.minor_unit())),
            ("decimal_places", Value::Int(i64::from(currency.exponent()))),
            ("rate", Value::Number(Decimal::ONE)),
        ];
        seeder.add(M::Currency, id, &values, &format!("base.{currency}"));
        let values = [
            text(&format!("Web {currency}")),
            ("currency_id", Value::Ref(id)),
            ("sequence", Value::Int(16)),
        ];
        let key = if at == 0 { "product.list0" } else { "" };
        seeder.add(M::Pricelist, id, &values, key);
    }
}

fn people(seeder: &mut Seeder<'_>, options: &ErpOptions) {
    let country = country_id(seeder.store, &options.country);
    let partner = |name: &str, email: &str| {
        vec![
            text(name),
            ("email", Value::text(email)),
            ("type", Value::text("contact")),
            ("lang", Value::text("en_US")),
            ("tz", Value::text("Europe/Brussels")),
            ("country_id", country.clone()),
        ]
    };
    let mut company = partner("Simulated Company", "company@example.test");
    company.push(("is_company", Value::Bool(true)));
    seeder.add(M::Partner, 1, &company, "base.main_partner");
    let bot = partner("OdooBot", "bot@example.test");
    seeder.add(M::Partner, 2, &bot, "base.partner_root");
    seeder.add(
        M::Partner,
        3,
        &partner("Hub", &options.login),
        "base.partner_admin",
    );
    let person = partner("Sales Clerk", "clerk@example.test");
    seeder.add(M::Partner, 7, &person, "base.partner_demo");
    let rounding = match options.rounding {
        Rounding::PerLine => "round_per_line",
        Rounding::Globally => "round_globally",
    };
    let mut values = vec![
        text("Simulated Company"),
        ("partner_id", Value::Ref(1)),
        ("country_id", country),
        ("currency_id", Value::Ref(1)),
        ("tax_calculation_rounding_method", Value::text(rounding)),
    ];
    if options.version >= Version::V18 {
        values.push(("account_price_include", Value::text("tax_excluded")));
    }
    seeder.add(M::Company, 1, &values, "base.main_company");
    for (id, login, partner) in [
        (1, "__system__", 2),
        (HUB, options.login.as_str(), 3),
        (PERSON, "clerk", 7),
    ] {
        let values = [
            ("login", Value::text(login)),
            ("partner_id", Value::Ref(partner)),
            ("company_id", Value::Ref(1)),
            ("company_ids", Value::Refs(vec![1])),
            ("active", Value::Bool(id != 1)),
        ];
        seeder.add(M::User, id, &values, "");
    }
}

fn country_id(store: &Store, code: &str) -> Value {
    let ids = store.with_text(M::Country, "code", code);
    ids.first().map_or(Value::Empty, |id| Value::Ref(*id))
}

fn trade(seeder: &mut Seeder<'_>, options: &ErpOptions, taxes: &[ErpTax]) {
    let country = country_id(seeder.store, &options.country);
    seeder.add(
        M::TaxGroup,
        1,
        &[text("VAT"), ("sequence", Value::Int(10))],
        "",
    );
    for (at, tax) in taxes.iter().enumerate() {
        let mut values = vec![
            text(&tax.name),
            ("type_tax_use", Value::text("sale")),
            ("amount_type", Value::text("percent")),
            ("amount", Value::Number(tax.rate)),
            ("price_include", Value::Bool(tax.included)),
            ("sequence", Value::Int(at as i64 + 1)),
            ("company_id", Value::Ref(1)),
            ("country_id", country.clone()),
            ("tax_group_id", Value::Ref(1)),
            ("include_base_amount", Value::Bool(tax.affects_base)),
        ];
        if options.version >= Version::V18 {
            let mode = match tax.included {
                true => "tax_included",
                false => "tax_excluded",
            };
            values.push(("price_include_override", Value::text(mode)));
        }
        seeder.add(M::Tax, at as i64 + 1, &values, "");
    }
    for (id, name, vat) in [
        (1, "EU B2B", true),
        (2, "EU private", false),
        (3, "Import/Export", false),
    ] {
        let values = [
            text(name),
            ("auto_apply", Value::Bool(true)),
            ("vat_required", Value::Bool(vat)),
            ("company_id", Value::Ref(1)),
        ];
        seeder.add(M::Position, id, &values, "");
    }
    seeder.add(
        M::PaymentTerm,
        1,
        &[text("Immediate Payment")],
        "account.account_payment_term_immediate",
    );
    seeder.add(
        M::PaymentTerm,
        2,
        &[text("30 Days")],
        "account.account_payment_term_30days",
    );
    seeder.add(
        M::Team,
        1,
        &[text("Sales")],
        "sales_team.team_sales_department",
    );
    seeder.add(M::Team, 2, &[text("Website")], "");
    let location = [
        text("Stock"),
        ("complete_name", Value::text("WH/Stock")),
        ("usage", Value::text("internal")),
        ("company_id", Value::Ref(1)),
        ("warehouse_id", Value::Ref(1)),
    ];
    seeder.add(M::Location, STOCK, &location, "stock.stock_location_stock");
    let warehouse = [
        text("Simulated Company"),
        ("code", Value::text("WH")),
        ("company_id", Value::Ref(1)),
        ("lot_stock_id", Value::Ref(STOCK)),
    ];
    seeder.add(M::Warehouse, 1, &warehouse, "stock.warehouse0");
    let customers = [
        text("Customers"),
        ("complete_name", Value::text("Partners/Customers")),
        ("usage", Value::text("customer")),
    ];
    seeder.add(
        M::Location,
        CUSTOMERS,
        &customers,
        "stock.stock_location_customers",
    );
    for (id, name, code) in [
        (1, "Receipts", "incoming"),
        (2, "Delivery Orders", "outgoing"),
    ] {
        let values = [
            text(name),
            ("code", Value::text(code)),
            ("warehouse_id", Value::Ref(1)),
        ];
        seeder.add(M::PickingType, id, &values, "");
    }
}

fn goods(seeder: &mut Seeder<'_>, options: &ErpOptions, products: &[ErpProduct], taxes: &[ErpTax]) {
    let unit = [
        text("Units"),
        ("rounding", Value::Number(Decimal::new(1, 2))),
    ];
    seeder.add(M::Unit, 1, &unit, "uom.product_uom_unit");
    let delivery = ErpProduct::service("Delivery_007", "Standard delivery");
    for (at, product) in products.iter().chain([&delivery]).enumerate() {
        let id = at as i64 + 1;
        let own = |name: &String| taxes.iter().position(|tax| tax.name == *name);
        let taxes = product.taxes.iter().filter_map(own);
        let service = product.stock.is_none();
        let mut values = vec![
            text(&product.name),
            ("list_price", Value::Number(product.price)),
            ("uom_id", Value::Ref(1)),
            ("sale_ok", Value::Bool(true)),
            (
                "taxes_id",
                Value::Refs(taxes.map(|at| at as i64 + 1).collect()),
            ),
        ];
        if options.version < Version::V18 {
            let kind = if service { "service" } else { "product" };
            values.push(("detailed_type", Value::text(kind)));
        } else {
            let kind = if service { "service" } else { "consu" };
            values.push(("type", Value::text(kind)));
            values.push(("is_storable", Value::Bool(!service)));
        }
        seeder.add(M::Template, id, &values, "");
        let mut values = vec![
            ("product_tmpl_id", Value::Ref(id)),
            ("default_code", Value::text(product.sku.as_str())),
        ];
        if !product.barcode.is_empty() {
            values.push(("barcode", Value::text(product.barcode.as_str())));
        }
        seeder.add(M::Product, id, &values, "");
        if let Some(stock) = product.stock {
            let values = [
                ("product_id", Value::Ref(id)),
                ("location_id", Value::Ref(STOCK)),
                ("quantity", Value::Number(stock)),
                ("reserved_quantity", Value::Number(Decimal::ZERO)),
                ("in_date", Value::Time(seeder.now)),
            ];
            seeder.add(M::Quant, id, &values, "");
        }
    }
    let carrier = [
        text("Standard delivery"),
        ("delivery_type", Value::text("fixed")),
        ("fixed_price", Value::Number(Decimal::ZERO)),
        ("product_id", Value::Ref(products.len() as i64 + 1)),
    ];
    seeder.add(M::Carrier, 1, &carrier, "delivery.free_delivery_carrier");
}

fn technical(seeder: &mut Seeder<'_>, options: &ErpOptions) {
    for (at, (code, name)) in [("en_US", "English (US)"), ("fr_FR", "French / Français")]
        .into_iter()
        .chain(
            options
                .languages
                .iter()
                .map(|code| (code.as_str(), code.as_str())),
        )
        .enumerate()
    {
        if !seeder.store.with_text(M::Lang, "code", code).is_empty() {
            continue;
        }
        let active = options.languages.iter().any(|language| language == code);
        let values = [
            text(name),
            ("code", Value::text(code)),
            (
                "iso_code",
                Value::text(code.split('_').next().unwrap_or(code)),
            ),
            ("active", Value::Bool(active)),
        ];
        seeder.add(M::Lang, at as i64 + 1, &values, "");
    }
    let unit = if options.version >= Version::V19 {
        "Product Unit"
    } else {
        "Product Unit of Measure"
    };
    let digits = [
        ("Product Price", 2),
        ("Discount", 2),
        (unit, 2),
        ("Payment Terms", 6),
    ];
    for (at, (name, digits)) in digits.into_iter().enumerate() {
        let values = [text(name), ("digits", Value::Int(digits))];
        seeder.add(M::Precision, at as i64 + 1, &values, "");
    }
    let uuid = format!(
        "00000000-0000-4000-8000-{:012x}",
        options.seed & 0xffff_ffff_ffff
    );
    for (at, (key, value)) in [
        ("database.uuid", uuid.as_str()),
        ("web.base.url", "http://erp.example.test"),
    ]
    .into_iter()
    .enumerate()
    {
        let values = [("key", Value::text(key)), ("value", Value::text(value))];
        seeder.add(M::Parameter, at as i64 + 1, &values, "");
    }
    let modules = [
        "base",
        "contacts",
        "account",
        "sale",
        "sale_management",
        "stock",
        "sale_stock",
        "delivery",
    ];
    for (at, name) in modules.into_iter().enumerate() {
        let version = format!("{}.1.0", options.version);
        let values = [
            text(name),
            ("shortdesc", Value::text(name)),
            ("state", Value::text("installed")),
            ("latest_version", Value::Text(version)),
        ];
        seeder.add(M::Module, at as i64 + 1, &values, "");
    }
    field_infos(seeder);
}

fn field_infos(seeder: &mut Seeder<'_>) {
    for &model in M::ALL {
        let fields = seeder.store.schema(model).fields.clone();
        for field in fields.into_iter().filter(|field| !field.hidden) {
            let id = seeder.store.next_id(M::FieldInfo);
            let relation = field.kind.relation().map(M::name);
            let stored = matches!(field.source, Source::Stored | Source::Magic(_));
            let values = [
                text(field.name),
                ("model", Value::text(model.name())),
                ("field_description", Value::text(field.label)),
                ("ttype", Value::text(field.kind.word())),
                ("relation", relation.map_or(Value::Empty, Value::text)),
                ("required", Value::Bool(field.required)),
                ("readonly", Value::Bool(field.derived)),
                ("store", Value::Bool(stored)),
                ("state", Value::text("base")),
            ];
            seeder.add(M::FieldInfo, id, &values, "");
        }
    }
}
