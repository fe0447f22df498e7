//! Models and fields: what `fields_get` shows and what `create`, `write`, `read` and domains go by.

use super::store::{Row, Store};
use super::value::Value;
use super::version::Version;
use std::collections::HashMap;

macro_rules! models {
    ($($variant:ident = $name:literal, $title:literal;)*) => {
        /// A model of the database.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(super) enum M { $($variant,)* }

        impl M {
            /// All of them.
            pub(super) const ALL: &'static [M] = &[$(M::$variant,)*];

            /// Technical name.
            pub(super) fn name(self) -> &'static str {
                match self { $(M::$variant => $name,)* }
            }

            /// The name people see.
            pub(super) fn title(self) -> &'static str {
                match self { $(M::$variant => $title,)* }
            }

            /// The model of that name.
            pub(super) fn of(name: &str) -> Option<M> {
                match name { $($name => Some(M::$variant),)* _ => None }
            }
        }
    };
}

models! {
    Partner = "res.partner", "Contact";
    Company = "res.company", "Companies";
    Currency = "res.currency", "Currency";
    Country = "res.country", "Country";
    State = "res.country.state", "Country state";
    Lang = "res.lang", "Languages";
    User = "res.users", "User";
    Product = "product.product", "Product Variant";
    Template = "product.template", "Product";
    Unit = "uom.uom", "Product Unit of Measure";
    Tax = "account.tax", "Tax";
    TaxGroup = "account.tax.group", "Tax Group";
    Position = "account.fiscal.position", "Fiscal Position";
    PaymentTerm = "account.payment.term", "Payment Terms";
    Pricelist = "product.pricelist", "Pricelist";
    Warehouse = "stock.warehouse", "Warehouse";
    Location = "stock.location", "Inventory Locations";
    Quant = "stock.quant", "Quants";
    Picking = "stock.picking", "Transfer";
    PickingType = "stock.picking.type", "Picking Type";
    StockMove = "stock.move", "Stock Move";
    Bom = "mrp.bom", "Bill of Material";
    BomLine = "mrp.bom.line", "Bill of Material Line";
    Team = "crm.team", "Sales Team";
    Carrier = "delivery.carrier", "Shipping Methods";
    Order = "sale.order", "Sales Order";
    Line = "sale.order.line", "Sales Order Line";
    Move = "account.move", "Journal Entry";
    Data = "ir.model.data", "Model Data";
    FieldInfo = "ir.model.fields", "Fields";
    Module = "ir.module.module", "Module";
    Parameter = "ir.config_parameter", "System Parameter";
    Precision = "decimal.precision", "Decimal Precision";
}

/// What kind of field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Char,
    Text,
    Html,
    Boolean,
    Integer,
    /// With the digits it is rounded to, if any.
    Float(Option<u32>),
    Monetary,
    Selection(&'static [(&'static str, &'static str)]),
    /// A selection whose options are data: languages, time zones.
    Open,
    Datetime,
    Date,
    Many2one(M),
    Many2many(M),
    /// The model of the many and their field that points back.
    One2many(M, &'static str),
}

impl Kind {
    /// Odoo's word for it.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Kind::Char => "char",
            Kind::Text => "text",
            Kind::Html => "html",
            Kind::Boolean => "boolean",
            Kind::Integer => "integer",
            Kind::Float(_) => "float",
            Kind::Monetary => "monetary",
            Kind::Selection(_) | Kind::Open => "selection",
            Kind::Datetime => "datetime",
            Kind::Date => "date",
            Kind::Many2one(_) => "many2one",
            Kind::Many2many(_) => "many2many",
            Kind::One2many(..) => "one2many",
        }
    }

    /// The model it points at.
    pub(super) fn relation(&self) -> Option<M> {
        match self {
            Kind::Many2one(model) | Kind::Many2many(model) | Kind::One2many(model, _) => {
                Some(*model)
            }
            _ => None,
        }
    }
}

/// What every record carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Magic {
    Id,
    DisplayName,
    Created,
    Creator,
    Written,
    Writer,
}

/// Where a field's value comes from.
#[derive(Clone, Copy)]
pub(super) enum Source {
    /// The record itself.
    Stored,
    /// A field of the record that a many2one points at; written through.
    Via(&'static str, &'static str),
    /// The many that point back.
    Inverse,
    /// Worked out when asked; what is written is silently ignored.
    Computed(fn(&Store, &Row) -> Value),
    /// One of the fields that every record has.
    Magic(Magic),
}

/// A field.
#[derive(Clone)]
pub(super) struct Field {
    pub name: &'static str,
    pub label: &'static str,
    pub kind: Kind,
    pub source: Source,
    pub required: bool,
    /// What is written from outside is silently ignored (a total).
    pub derived: bool,
    /// Not shown outside: the simulator's own book-keeping.
    pub hidden: bool,
    /// Kept in a hash index.
    pub indexed: bool,
}

impl Field {
    pub(super) fn new(name: &'static str, label: &'static str, kind: Kind) -> Field {
        let source = match kind {
            Kind::One2many(..) => Source::Inverse,
            _ => Source::Stored,
        };
        Field {
            name,
            label,
            kind,
            source,
            required: false,
            derived: false,
            hidden: false,
            indexed: false,
        }
    }

    pub(super) fn required(mut self) -> Field {
        self.required = true;
        self
    }

    pub(super) fn derived(mut self) -> Field {
        self.derived = true;
        self
    }

    pub(super) fn hidden(mut self) -> Field {
        self.hidden = true;
        self
    }

    pub(super) fn indexed(mut self) -> Field {
        self.indexed = true;
        self
    }

    pub(super) fn via(mut self, link: &'static str, field: &'static str) -> Field {
        self.source = Source::Via(link, field);
        self
    }

    pub(super) fn computed(mut self, how: fn(&Store, &Row) -> Value) -> Field {
        self.source = Source::Computed(how);
        self.derived = true;
        self
    }

    /// Whether the database has a column for it.
    pub(super) fn stored(&self) -> bool {
        matches!(self.source, Source::Stored)
            || matches!(self.source, Source::Magic(magic) if magic != Magic::DisplayName)
    }
}

/// The fields of a model.
pub(super) struct Schema {
    pub fields: Vec<Field>,
    by_name: HashMap<&'static str, usize>,
}

impl Schema {
    pub(super) fn new(version: Version, mut fields: Vec<Field>) -> Schema {
        let magic = |name, label, kind, magic| {
            let mut field = Field::new(name, label, kind).derived();
            field.source = Source::Magic(magic);
            field
        };
        fields.push(magic("id", "ID", Kind::Integer, Magic::Id));
        fields.push(magic(
            "display_name",
            "Display Name",
            Kind::Char,
            Magic::DisplayName,
        ));
        fields.push(magic(
            "create_date",
            "Created on",
            Kind::Datetime,
            Magic::Created,
        ));
        fields.push(magic(
            "create_uid",
            "Created by",
            Kind::Many2one(M::User),
            Magic::Creator,
        ));
        fields.push(magic(
            "write_date",
            "Last Updated on",
            Kind::Datetime,
            Magic::Written,
        ));
        fields.push(magic(
            "write_uid",
            "Last Updated by",
            Kind::Many2one(M::User),
            Magic::Writer,
        ));
        if version == Version::V16 {
            fields.push(magic(
                "__last_update",
                "Last Modified on",
                Kind::Datetime,
                Magic::Written,
            ));
        }
        let by_name = fields
            .iter()
            .enumerate()
            .map(|(slot, field)| (field.name, slot))
            .collect();
        Schema { fields, by_name }
    }

    /// The slot of a field, hidden ones too.
    pub(super) fn slot(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// A field that can be seen from outside.
    pub(super) fn visible(&self, name: &str) -> Option<(usize, &Field)> {
        let slot = self.slot(name)?;
        let field = &self.fields[slot];
        (!field.hidden).then_some((slot, field))
    }
}
