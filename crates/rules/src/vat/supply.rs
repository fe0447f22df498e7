//! Goods: where they leave, where they go, who buys.

use super::area::Area;
use super::place::Place;
use super::sale::{Bench, Buyer, Open, Standing, WithoutNumber};
use super::treatment::{Mention, Treatment, Verdict};
use jiff::civil::date;
use rust_decimal::Decimal;

/// IOSS: the most a consignment may be worth, in euros (Art. 33(c)).
const IOSS_AT_MOST: i64 = 150;

/// Decides a supply of goods.
pub(super) fn goods(mut bench: Bench<'_>) -> Result<Verdict, Open> {
    let sale = bench.sale;
    let to = if sale.collected { sale.from } else { sale.to };
    if sale.collected {
        bench.because(
            "the buyer fetches the goods: nothing is sent",
            "l'acheteur vient chercher les biens : rien n'est expédié",
        );
    }
    let (departure, arrival) = (sale.from.for_goods(sale.on), to.for_goods(sale.on));
    bench.because(
        format!("goods from {} to {}", sale.from.code(), to.code()),
        format!("biens de {} à {}", sale.from.code(), to.code()),
    );
    if departure == arrival {
        return domestic(bench, &departure, to);
    }
    match (&departure, &arrival) {
        (a, b) if a.is_french() && b.is_french() => cgi_294(bench, &departure, to),
        (Area::Member(_), Area::Member(_)) => between_members(bench, &departure, &arrival, to),
        (Area::Third(_), Area::Member(_)) => import(bench, &arrival, to),
        (Area::FrenchMarket(_) | Area::FrenchWithout(_), _) => {
            export(bench, to, "CGI 294-2; art. 6(1)(c)")
        }
        (Area::Member(_) | Area::Third(_), _) => {
            let article = to
                .territory
                .map_or(String::new(), |known| format!("; {}", known.article));
            export(bench, to, &format!("art. 146(1)(a)-(b){article}"))
        }
    }
}

/// Both ends in one area.
fn domestic(mut bench: Bench<'_>, area: &Area, to: &Place) -> Result<Verdict, Open> {
    let seller = bench.seller;
    if seller.home.for_goods(bench.sale.on) == *area {
        bench.because(
            "a domestic sale: the buyer's VAT number does not matter",
            "une vente intérieure : le numéro de TVA de l'acheteur n'y change rien",
        );
        let law = match area {
            Area::FrenchMarket(_) => "art. 31, 32; CGI 294",
            _ => "art. 31, 32",
        };
        return bench.charge(Treatment::Charge, area, to, law);
    }
    bench.because(
        format!("stock in {}: a domestic sale there", area.code()),
        format!("stock en {} : une vente intérieure de ce pays", area.code()),
    );
    bench.charge(Treatment::ChargeLocalRegistration, area, to, "art. 31, 32")
}

/// Between mainland France and its overseas departments, and between the markets of these.
fn cgi_294(mut bench: Bench<'_>, departure: &Area, to: &Place) -> Result<Verdict, Open> {
    bench.because(
        "between mainland France and its overseas departments goods are exported",
        "entre la métropole et les départements d'outre-mer, les biens sont exportés",
    );
    let law = match departure {
        Area::Member(_) => "CGI 294-2-1; art. 6(1)(c)",
        _ if to.territory.is_some() => "CGI 294-2-2; art. 6(1)(c)",
        _ => "CGI 294-2-3; art. 6(1)(c)",
    };
    let code = to.code().to_owned();
    let mut verdict = bench.exempt(Treatment::Export, &code, law)?;
    verdict.mention = Some(Mention::Cgi294);
    Ok(verdict)
}

fn export(mut bench: Bench<'_>, to: &Place, law: &str) -> Result<Verdict, Open> {
    bench.because(
        "the goods leave the VAT area; proof of exit is needed",
        "les biens quittent le territoire de TVA ; la preuve de sortie est nécessaire",
    );
    let law = match bench.sale.from.country.code() {
        "FR" if law.contains("146") => format!("{law}; CGI 262 I"),
        _ => law.to_owned(),
    };
    let code = to.code().to_owned();
    bench.exempt(Treatment::Export, &code, law)
}

fn between_members(
    mut bench: Bench<'_>,
    departure: &Area,
    arrival: &Area,
    to: &Place,
) -> Result<Verdict, Open> {
    if bench.sale.buyer == Buyer::Consumer {
        return distance(bench, departure, arrival, to);
    }
    match bench.number(|member| member != departure.code())? {
        Standing::Opens => {
            bench.note_proof();
            bench.because(
                "a business with a valid number of another member state than the goods leave; proof of transport and the recapitulative statement are needed",
                "une entreprise au numéro valable d'un autre État membre que celui du départ ; preuve de transport et état récapitulatif sont nécessaires",
            );
            let law = match bench.sale.from.country.code() {
                "FR" => "art. 138(1)(b), 138(1a), 226(11); CGI 262 ter I",
                _ => "art. 138(1)(b), 138(1a), 226(11)",
            };
            bench.exempt(Treatment::ExemptIcSupply, arrival.code(), law)
        }
        Standing::Wait => bench.wait("art. 138(1)(b)"),
        Standing::Does { not } => {
            bench.reasons.push(not);
            match bench.choices.without_number {
                WithoutNumber::Consumer => {
                    bench.because(
                        "setting `without_number`: taxed as a consumer",
                        "réglage `without_number` : taxée comme un particulier",
                    );
                    distance(bench, departure, arrival, to)
                }
                WithoutNumber::Departure => {
                    bench.because(
                        "setting `without_number`: VAT of the country the goods leave",
                        "réglage `without_number` : TVA du pays de départ",
                    );
                    let law = "art. 32; 138(1)(b) not met";
                    at_departure(bench, departure, law)
                }
            }
        }
    }
}

/// VAT of the country the goods leave.
fn at_departure(bench: Bench<'_>, departure: &Area, law: &str) -> Result<Verdict, Open> {
    let home = bench.seller.home.for_goods(bench.sale.on) == *departure;
    let treatment = match home {
        true => Treatment::Charge,
        false => Treatment::ChargeLocalRegistration,
    };
    let from = bench.sale.from;
    bench.charge(treatment, departure, from, law)
}

/// Goods to a consumer of another member state.
fn distance(
    mut bench: Bench<'_>,
    departure: &Area,
    arrival: &Area,
    to: &Place,
) -> Result<Verdict, Open> {
    let seller = bench.seller;
    let at_home = seller.home.for_goods(bench.sale.on) == *departure;
    // Before, goods had thresholds per country and no one-stop shop.
    let has_oss = bench.sale.on >= date(2021, 7, 1);
    if seller.oss && has_oss {
        bench.because(
            "a distance sale to a consumer, declared through OSS",
            "une vente à distance à un particulier, déclarée par le guichet unique (OSS)",
        );
        let law = "art. 33(a), 14(4)(1), 59c(3), 369a ff.";
        return bench.charge(Treatment::ChargeOss, arrival, to, law);
    }
    if !seller.over_threshold && at_home && seller.established.is_empty() {
        bench.because(
            "a distance sale below the threshold, sent from the one member state of the seller",
            "une vente à distance sous le seuil, expédiée du seul État membre du vendeur",
        );
        return at_departure(bench, departure, "art. 32, 59c(1)");
    }
    bench.because(
        "a distance sale above the threshold without OSS: VAT is declared in the buyer's country",
        "une vente à distance au-delà du seuil sans guichet unique : la TVA se déclare dans le pays de l'acheteur",
    );
    let law = "art. 33(a), 93";
    bench.charge(Treatment::ChargeLocalRegistration, arrival, to, law)
}

/// From outside into a member state.
fn import(mut bench: Bench<'_>, arrival: &Area, to: &Place) -> Result<Verdict, Open> {
    let sale = bench.sale;
    if sale.buyer == Buyer::Consumer && bench.seller.ioss {
        let worth = sale.worth_in_euros.ok_or(Open::Worth)?;
        if worth <= Decimal::from(IOSS_AT_MOST) {
            bench.because(
                "a consignment of at most 150 euros from outside, declared through IOSS",
                "un envoi de 150 euros au plus venant de l'extérieur, déclaré par le guichet à l'importation (IOSS)",
            );
            let law = "art. 33(c), 369l ff.";
            return bench.charge(Treatment::ChargeIoss, arrival, to, law);
        }
        bench.because(
            "worth more than 150 euros: IOSS does not cover it",
            "plus de 150 euros : le guichet IOSS ne le couvre pas",
        );
    }
    bench.because(
        "the buyer pays VAT at import",
        "l'acheteur paie la TVA à l'importation",
    );
    let law = "art. 33(b), 60, 201";
    bench.exempt(Treatment::ImportVatByCustomer, arrival.code(), law)
}
