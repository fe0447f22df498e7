//! A sale as VAT law looks at it, the seller's own facts, and the decision.

use super::number::{Doubtful, Flaw, Reading, VatNumber};
use super::place::{NoPlace, Place};
use super::rate::Rates;
use super::treatment::{Mention, Treatment, Verdict};
use super::{Words, service, supply};
use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Supply {
    /// Goods.
    #[default]
    Goods,
    /// Electronic, telecommunication and broadcasting services: downloads, subscriptions.
    Electronic,
    /// Other services, with the general rule for their place.
    Services,
    /// A voucher that may buy anything.
    Voucher,
}

/// The seller's facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seller {
    /// Where it is established.
    pub home: Place,
    /// Other countries where it is established (codes).
    pub established: BTreeSet<String>,
    /// Other countries where it is registered for VAT (codes).
    pub registered: BTreeSet<String>,
    /// Uses the one-stop shop: taxed at destination below the threshold too.
    pub oss: bool,
    /// Uses the import one-stop shop.
    pub ioss: bool,
    /// Above 10,000 euros a year of sales to consumers of other member states (Art. 59c).
    pub over_threshold: bool,
    /// Under the small businesses' scheme at home.
    pub small_business: bool,
}

/// Which VAT a business in another member state pays that gives no valid number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WithoutNumber {
    /// That of the country the goods leave: the exemption is not met (Art. 32, 138).
    #[default]
    Departure,
    /// As a consumer: that of the country they go to.
    Consumer,
}

/// What holds while a number cannot be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unavailable {
    /// The order waits.
    #[default]
    Hold,
    /// VAT is charged now, and credited when the number turns out valid.
    Charge,
    /// The last valid answer counts for so many days (`trust_days`); without one the order waits.
    Trust,
}

/// What the law leaves open, decided by the merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Choices {
    /// Goods to a business without a valid number.
    pub without_number: WithoutNumber,
    /// While a number cannot be checked.
    pub unavailable: Unavailable,
    /// Days that the last valid answer counts with [`Unavailable::Trust`].
    pub trust_days: u32,
}

/// Whether a buyer is a business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Buyer {
    /// It names a company or a VAT number.
    Business,
    /// Neither.
    Consumer,
}

/// What its register said of a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// When (unix ms).
    pub at: i64,
    /// The consultation number, the proof of the check; empty when the register gave none.
    pub consultation: String,
}

/// What is known of a buyer's VAT number: five states, and that nobody has asked yet. An outage is never "invalid".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum NumberState {
    /// None was given.
    None,
    /// What was given cannot be a number.
    BadSyntax {
        /// What is wrong.
        flaw: Option<Flaw>,
    },
    /// Well written, and not asked about.
    Unasked {
        /// The number.
        number: VatNumber,
    },
    /// The register knows it.
    Valid {
        /// The number.
        number: VatNumber,
        /// The proof.
        checked: Checked,
    },
    /// The register does not know it.
    Invalid {
        /// The number.
        number: VatNumber,
        /// The proof.
        checked: Checked,
    },
    /// The register could not be asked.
    Unavailable {
        /// The number.
        number: VatNumber,
        /// The last answer "valid", with its age in days.
        last_valid: Option<(Checked, u32)>,
    },
}

impl NumberState {
    /// The state of what a buyer typed before anybody is asked.
    pub fn read(reading: Option<Reading>, doubtful: Doubtful) -> Self {
        match reading {
            None => NumberState::None,
            Some(Reading::Good(number)) => NumberState::Unasked { number },
            Some(Reading::Doubtful(number, _)) if doubtful == Doubtful::Ask => {
                NumberState::Unasked { number }
            }
            Some(Reading::Doubtful(..)) => NumberState::BadSyntax { flaw: None },
            Some(Reading::Bad(flaw)) => NumberState::BadSyntax { flaw: Some(flaw) },
        }
    }

    /// Its word: `none`, `bad_syntax`, `valid`, `invalid`, `unavailable`, `unasked`.
    pub fn as_str(&self) -> &'static str {
        match self {
            NumberState::None => "none",
            NumberState::BadSyntax { .. } => "bad_syntax",
            NumberState::Unasked { .. } => "unasked",
            NumberState::Valid { .. } => "valid",
            NumberState::Invalid { .. } => "invalid",
            NumberState::Unavailable { .. } => "unavailable",
        }
    }
}

/// One line of a sale.
#[derive(Debug, Clone)]
pub struct Sale<'a> {
    /// The day of the chargeable event.
    pub on: Date,
    /// What is sold.
    pub supply: Supply,
    /// The class of its rate.
    pub class: &'a str,
    /// Where the goods leave.
    pub from: &'a Place,
    /// Where they go; for services, where the buyer is.
    pub to: &'a Place,
    /// Fetched by the buyer: nothing is sent.
    pub collected: bool,
    /// Who buys.
    pub buyer: Buyer,
    /// Its number.
    pub number: &'a NumberState,
    /// What the goods of the consignment are worth in euros without VAT and carriage, if that is known (IOSS: at most 150).
    pub worth_in_euros: Option<Decimal>,
}

/// Why a sale cannot be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Open {
    /// The address names no place.
    Place(NoPlace),
    /// The number must be checked first.
    Ask(VatNumber),
    /// No table knows a rate: country, class.
    Rate(String, String),
    /// IOSS depends on what the consignment is worth in euros.
    Worth,
    /// Services between mainland France and its overseas departments have rules of their own.
    FrenchServices,
}

/// Everything a decision looks at.
pub(super) struct Bench<'a> {
    pub sale: &'a Sale<'a>,
    pub seller: &'a Seller,
    pub choices: Choices,
    pub rates: &'a Rates,
    pub reasons: Vec<Words>,
    pub warnings: Vec<Words>,
}

/// Decides one line.
pub fn classify(
    sale: &Sale<'_>,
    seller: &Seller,
    choices: Choices,
    rates: &Rates,
) -> Result<Verdict, Open> {
    let mut bench = Bench {
        sale,
        seller,
        choices,
        rates,
        reasons: Vec::new(),
        warnings: Vec::new(),
    };
    if sale.to.odd_postcode {
        bench.warn(
            "the postcode is none of its country: a special territory could not be told by it",
            "le code postal n'est pas de ce pays : un territoire particulier ne se verrait pas",
        );
    }
    match sale.supply {
        Supply::Goods => supply::goods(bench),
        Supply::Electronic | Supply::Services => service::services(bench),
        Supply::Voucher => {
            bench.because(
                "a voucher that may buy anything is taxed when it is used",
                "un bon à usages multiples est taxé lors de son utilisation",
            );
            let home = seller.home.code().to_owned();
            bench.exempt(Treatment::NoVatOnIssue, &home, "art. 30a(3), 30b(2)")
        }
    }
}

/// What the number of a business says about an exemption.
pub(super) enum Standing {
    /// It opens it.
    Opens,
    /// It does not.
    Does { not: Words },
    /// The policy says to wait.
    Wait,
}

impl Bench<'_> {
    /// Notes a reason.
    pub fn because(&mut self, english: impl Into<String>, french: impl Into<String>) {
        self.reasons.push(Words::new(english, french));
    }

    /// Notes what a person should know.
    pub fn warn(&mut self, english: impl Into<String>, french: impl Into<String>) {
        self.warnings.push(Words::new(english, french));
    }

    /// Whether the buyer's number is a valid one of a member state for which `fits` holds.
    pub fn number(&self, fits: impl Fn(&str) -> bool) -> Result<Standing, Open> {
        let not = |english: &str, french: &str| {
            Ok(Standing::Does {
                not: Words::new(english, french),
            })
        };
        let opens = |number: &VatNumber| number.member().is_some_and(&fits);
        let other = || {
            not(
                "the buyer's VAT number is not one that exempts this sale",
                "le numéro de TVA de l'acheteur n'exonère pas cette vente",
            )
        };
        match self.sale.number {
            NumberState::None => not(
                "the buyer, a business, gave no VAT number",
                "l'acheteur, une entreprise, n'a pas donné de numéro de TVA",
            ),
            NumberState::BadSyntax { .. } => not(
                "what the buyer gave is no VAT number",
                "ce que l'acheteur a donné n'est pas un numéro de TVA",
            ),
            NumberState::Unasked { number }
            | NumberState::Valid { number, .. }
            | NumberState::Invalid { number, .. }
            | NumberState::Unavailable { number, .. }
                if !opens(number) =>
            {
                other()
            }
            NumberState::Unasked { number } => Err(Open::Ask(number.clone())),
            NumberState::Valid { .. } => Ok(Standing::Opens),
            NumberState::Invalid { .. } => not(
                "its register does not know the buyer's VAT number",
                "le registre ne connaît pas le numéro de TVA de l'acheteur",
            ),
            NumberState::Unavailable { last_valid, .. } => {
                match (self.choices.unavailable, last_valid) {
                    (Unavailable::Charge, _) => not(
                        "the VAT number could not be checked: VAT is charged, to be credited when it turns out valid",
                        "le numéro de TVA n'a pas pu être vérifié : la TVA est facturée, à créditer s'il s'avère valable",
                    ),
                    (Unavailable::Trust, Some((_, age))) if *age <= self.choices.trust_days => {
                        Ok(Standing::Opens)
                    }
                    _ => Ok(Standing::Wait),
                }
            }
        }
    }

    /// Notes by which answer a number opened an exemption.
    pub fn note_proof(&mut self) {
        match self.sale.number {
            NumberState::Valid { checked, .. } if !checked.consultation.is_empty() => {
                let proof = checked.consultation.clone();
                self.because(
                    format!("the VAT number is valid (consultation {proof})"),
                    format!("le numéro de TVA est valable (consultation {proof})"),
                );
            }
            NumberState::Valid { .. } => {
                self.because("the VAT number is valid", "le numéro de TVA est valable");
            }
            NumberState::Unavailable {
                last_valid: Some((checked, age)),
                ..
            } => {
                let (age, proof) = (*age, checked.consultation.clone());
                self.because(
                    format!("the VAT number was valid {age} days ago (consultation {proof}) and could not be checked since"),
                    format!("le numéro de TVA était valable il y a {age} jours (consultation {proof}) et n'a pas pu être vérifié depuis"),
                );
            }
            _ => {}
        }
    }

    /// No VAT.
    pub fn exempt(
        self,
        treatment: Treatment,
        country: &str,
        law: impl Into<String>,
    ) -> Result<Verdict, Open> {
        let mention = match treatment {
            Treatment::ReverseCharge => Some(Mention::ReverseCharge),
            Treatment::ExemptIcSupply => Some(Mention::IcSupply),
            Treatment::Export => Some(Mention::Export),
            Treatment::OutsideScope | Treatment::ImportVatByCustomer | Treatment::NoVatOnIssue => {
                Some(Mention::OutsideScope)
            }
            Treatment::ExemptSmallBusiness if self.seller.home.country.code() == "FR" => {
                Some(Mention::Franchise293B)
            }
            _ => None,
        };
        Ok(Verdict {
            treatment,
            country: country.to_owned(),
            rates: vec![Decimal::ZERO],
            category: treatment.category(),
            vatex: treatment.vatex(self.seller.home.country.code()),
            mention,
            law: law.into(),
            reasons: self.reasons,
            warnings: self.warnings,
        })
    }

    /// VAT of an area, at the rate of a place in it.
    pub fn charge(
        mut self,
        treatment: Treatment,
        area: &super::area::Area,
        place: &Place,
        law: &str,
    ) -> Result<Verdict, Open> {
        use super::area::Area;
        let seller = self.seller;
        if treatment == Treatment::Charge && seller.small_business {
            self.because(
                "the seller is under the small businesses' scheme",
                "le vendeur est en franchise en base de TVA",
            );
            let home = seller.home.code().to_owned();
            return self.exempt(Treatment::ExemptSmallBusiness, &home, "art. 284; CGI 293 B");
        }
        let code = area.code().to_owned();
        if treatment == Treatment::ChargeLocalRegistration && !seller.registered.contains(&code) {
            self.warn(
                format!("VAT of {code} is due and no registration there is configured"),
                format!("la TVA de {code} est due et aucune immatriculation n'y est configurée"),
            );
        }
        let territory = place.territory.map_or("", |known| known.code);
        let rate_country = match area {
            Area::Member(code) | Area::Third(code) => code.as_str(),
            Area::FrenchMarket(_) | Area::FrenchWithout(_) => "FR",
        };
        let country = match area {
            Area::FrenchMarket(_) | Area::FrenchWithout(_) => territory.to_owned(),
            _ => code,
        };
        let rates = match area {
            Area::FrenchWithout(_) => vec![Decimal::ZERO],
            _ => self
                .rates
                .on(rate_country, territory, self.sale.class, self.sale.on),
        };
        if rates.is_empty() {
            return Err(Open::Rate(country, self.sale.class.to_owned()));
        }
        let special = place
            .territory
            .filter(|_| matches!(area, Area::Member(_)))
            .map(|known| known.article)
            .unwrap_or_default();
        let law = match special {
            "" => law.to_owned(),
            article => format!("{law}; {article}"),
        };
        Ok(Verdict {
            treatment,
            country,
            rates,
            category: treatment.category(),
            vatex: None,
            mention: None,
            law,
            reasons: self.reasons,
            warnings: self.warnings,
        })
    }

    /// The number could not be checked, and the policy says to wait.
    pub fn wait(mut self, law: &str) -> Result<Verdict, Open> {
        self.because(
            "the VAT number could not be checked and the policy says to wait",
            "le numéro de TVA n'a pas pu être vérifié et le réglage dit d'attendre",
        );
        Ok(Verdict {
            treatment: Treatment::PendingVerification,
            country: String::new(),
            rates: Vec::new(),
            category: None,
            vatex: None,
            mention: None,
            law: law.to_owned(),
            reasons: self.reasons,
            warnings: self.warnings,
        })
    }
}
