//! What VAT law makes of a sale, and the words an invoice and a person need for it.

use super::Words;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a sale is treated.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// VAT of the seller's own country.
    Charge,
    /// VAT of the buyer's country, declared through the one-stop shop.
    ChargeOss,
    /// VAT of the buyer's country at import, declared through the import one-stop shop.
    ChargeIoss,
    /// VAT of another country in which the seller must be registered.
    ChargeLocalRegistration,
    /// The buyer owes the VAT.
    ReverseCharge,
    /// Exempt supply of goods to a business in another member state.
    ExemptIcSupply,
    /// Goods leave the VAT area.
    Export,
    /// No business of the Union's VAT.
    OutsideScope,
    /// The buyer pays VAT at customs.
    ImportVatByCustomer,
    /// A voucher that may buy anything: VAT is due when it is used.
    NoVatOnIssue,
    /// The seller is under the small businesses' scheme.
    ExemptSmallBusiness,
    /// The VAT number could not be checked and the policy says to wait.
    PendingVerification,
}

impl Treatment {
    /// Every treatment.
    pub const ALL: [Treatment; 12] = [
        Treatment::Charge,
        Treatment::ChargeOss,
        Treatment::ChargeIoss,
        Treatment::ChargeLocalRegistration,
        Treatment::ReverseCharge,
        Treatment::ExemptIcSupply,
        Treatment::Export,
        Treatment::OutsideScope,
        Treatment::ImportVatByCustomer,
        Treatment::NoVatOnIssue,
        Treatment::ExemptSmallBusiness,
        Treatment::PendingVerification,
    ];

    /// The word tables and causes use.
    pub fn as_str(self) -> &'static str {
        match self {
            Treatment::Charge => "charge",
            Treatment::ChargeOss => "charge_oss",
            Treatment::ChargeIoss => "charge_ioss",
            Treatment::ChargeLocalRegistration => "charge_local_registration",
            Treatment::ReverseCharge => "reverse_charge",
            Treatment::ExemptIcSupply => "exempt_ic_supply",
            Treatment::Export => "export",
            Treatment::OutsideScope => "outside_scope",
            Treatment::ImportVatByCustomer => "import_vat_by_customer",
            Treatment::NoVatOnIssue => "no_vat_on_issue",
            Treatment::ExemptSmallBusiness => "exempt_small_business",
            Treatment::PendingVerification => "pending_verification",
        }
    }

    /// Whether VAT is charged at all.
    pub fn charges(self) -> bool {
        matches!(
            self,
            Treatment::Charge
                | Treatment::ChargeOss
                | Treatment::ChargeIoss
                | Treatment::ChargeLocalRegistration
        )
    }

    /// The category of EN 16931 (code list UNCL5305); none while it is pending.
    pub fn category(self) -> Option<&'static str> {
        match self {
            Treatment::Charge
            | Treatment::ChargeOss
            | Treatment::ChargeIoss
            | Treatment::ChargeLocalRegistration => Some("S"),
            Treatment::ReverseCharge => Some("AE"),
            Treatment::ExemptIcSupply => Some("K"),
            Treatment::Export => Some("G"),
            Treatment::OutsideScope | Treatment::ImportVatByCustomer | Treatment::NoVatOnIssue => {
                Some("O")
            }
            Treatment::ExemptSmallBusiness => Some("E"),
            Treatment::PendingVerification => None,
        }
    }

    /// The reason code of the exemption (code list VATEX), where there is one; `home` is the seller's country.
    pub fn vatex(self, home: &str) -> Option<&'static str> {
        match self.category()? {
            "AE" => Some("VATEX-EU-AE"),
            "K" => Some("VATEX-EU-IC"),
            "G" => Some("VATEX-EU-G"),
            "O" => Some("VATEX-EU-O"),
            "E" if home == "FR" => Some("VATEX-FR-FRANCHISE"),
            _ => None,
        }
    }

    /// In a person's words.
    pub fn words(self) -> Words {
        let (english, french) = match self {
            Treatment::Charge => ("VAT of the seller's country", "TVA du pays du vendeur"),
            Treatment::ChargeOss => (
                "VAT of the buyer's country, through OSS",
                "TVA du pays de l'acheteur, par le guichet unique (OSS)",
            ),
            Treatment::ChargeIoss => (
                "VAT of the buyer's country, through IOSS",
                "TVA du pays de l'acheteur, par le guichet à l'importation (IOSS)",
            ),
            Treatment::ChargeLocalRegistration => (
                "VAT of another country, with a registration there",
                "TVA d'un autre pays, avec une immatriculation sur place",
            ),
            Treatment::ReverseCharge => (
                "reverse charge: the buyer owes the VAT",
                "autoliquidation : la TVA est due par l'acheteur",
            ),
            Treatment::ExemptIcSupply => (
                "exempt intra-Community supply",
                "livraison intracommunautaire exonérée",
            ),
            Treatment::Export => ("export, exempt", "exportation, exonérée"),
            Treatment::OutsideScope => (
                "outside the scope of EU VAT",
                "hors du champ de la TVA de l'UE",
            ),
            Treatment::ImportVatByCustomer => (
                "no VAT by the seller: the buyer pays it at import",
                "pas de TVA du vendeur : l'acheteur la paie à l'importation",
            ),
            Treatment::NoVatOnIssue => (
                "multi-purpose voucher: VAT when it is used",
                "bon à usages multiples : TVA lors de l'utilisation",
            ),
            Treatment::ExemptSmallBusiness => (
                "exempt: small businesses' scheme",
                "exonéré : franchise en base",
            ),
            Treatment::PendingVerification => (
                "waits for the check of the VAT number",
                "attend la vérification du numéro de TVA",
            ),
        };
        Words::new(english, french)
    }
}

/// What an invoice must say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mention {
    /// Exempt intra-Community supply.
    IcSupply,
    /// Reverse charge.
    ReverseCharge,
    /// Export.
    Export,
    /// Between mainland France and its overseas departments.
    Cgi294,
    /// Outside the scope.
    OutsideScope,
    /// The French small businesses' scheme.
    #[serde(rename = "franchise_293B")]
    Franchise293B,
}

impl Mention {
    /// The word of the test vectors and of `--json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Mention::IcSupply => "ic_supply",
            Mention::ReverseCharge => "reverse_charge",
            Mention::Export => "export",
            Mention::Cgi294 => "cgi_294",
            Mention::OutsideScope => "outside_scope",
            Mention::Franchise293B => "franchise_293B",
        }
    }

    /// A text for the invoice. The ERP issues it: this is for comparison.
    pub fn words(self) -> Words {
        let (english, french) = match self {
            Mention::IcSupply => (
                "VAT exempt intra-Community supply, Article 138 of Directive 2006/112/EC",
                "Exonération de TVA, article 262 ter I du CGI",
            ),
            Mention::ReverseCharge => ("Reverse charge", "Autoliquidation"),
            Mention::Export => (
                "VAT exempt export, Article 146 of Directive 2006/112/EC",
                "Exonération de TVA, article 262 I du CGI",
            ),
            Mention::Cgi294 => (
                "VAT exempt, Article 294 of the French tax code (CGI)",
                "Exonération en application de l'article 294 du CGI",
            ),
            Mention::OutsideScope => ("Outside the scope of EU VAT", "Hors champ de la TVA"),
            Mention::Franchise293B => (
                "VAT not applicable, Article 293 B of the French tax code (CGI)",
                "TVA non applicable, art. 293 B du CGI",
            ),
        };
        Words::new(english, french)
    }
}

/// What the law makes of one line, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The treatment.
    pub treatment: Treatment,
    /// Where VAT is due, or where the goods go: `FR`, `XI`, `FR-974`, `CH`. Empty while it is pending.
    pub country: String,
    /// Rates that fit, in per cent: one, unless the class of the goods allows for several.
    pub rates: Vec<Decimal>,
    /// EN 16931 category.
    pub category: Option<&'static str>,
    /// VATEX code.
    pub vatex: Option<&'static str>,
    /// What the invoice must say.
    pub mention: Option<Mention>,
    /// The articles, of Directive 2006/112/EC unless they say otherwise.
    pub law: String,
    /// Why, step by step.
    pub reasons: Vec<Words>,
    /// What a person should know, though it changes nothing.
    pub warnings: Vec<Words>,
}
