//! Services: where the seller is, where the buyer is, who buys.

use super::area::Area;
use super::sale::{Bench, Buyer, Open, Standing, Supply};
use super::treatment::{Treatment, Verdict};
use jiff::civil::date;

/// Decides a supply of services.
pub(super) fn services(mut bench: Bench<'_>) -> Result<Verdict, Open> {
    let sale = bench.sale;
    let home = bench.seller.home.for_services(sale.on);
    let there = sale.to.for_services(sale.on);
    bench.because(
        format!("services from {} to {}", home.code(), sale.to.code()),
        format!("services de {} à {}", home.code(), sale.to.code()),
    );
    if home == there {
        let law = match sale.buyer {
            Buyer::Business => "art. 44",
            Buyer::Consumer => "art. 45, 58",
        };
        return bench.charge(Treatment::Charge, &home, sale.to, law);
    }
    let overseas = |area: &Area| matches!(area, Area::FrenchMarket(_) | Area::FrenchWithout(_));
    if overseas(&home) || (overseas(&there) && home.is_french()) {
        return Err(Open::FrenchServices);
    }
    let Area::Member(_) = &there else {
        bench.because(
            "the buyer is outside the Union",
            "l'acheteur est hors de l'Union",
        );
        let code = sale.to.for_services(sale.on).code().to_owned();
        return bench.exempt(Treatment::OutsideScope, &code, "art. 44, 58, 59");
    };
    if sale.buyer == Buyer::Business {
        // A number of Northern Ireland is one for goods.
        match bench.number(|member| member != "XI" && member != home.code())? {
            Standing::Opens => {
                bench.note_proof();
                bench.because(
                    "a business of another member state: it owes the VAT",
                    "une entreprise d'un autre État membre : la TVA est due par elle",
                );
                let law = "art. 44, 196, 226(11a)";
                return bench.exempt(Treatment::ReverseCharge, there.code(), law);
            }
            Standing::Wait => return bench.wait("art. 44; Reg. 282/2011 art. 18"),
            Standing::Does { not } => {
                bench.reasons.push(not);
                bench.because(
                    "without a valid number it may be taken for a consumer (Reg. 282/2011 art. 18)",
                    "sans numéro valable, elle peut être prise pour un particulier (règl. 282/2011 art. 18)",
                );
            }
        }
    }
    to_consumer(bench, &home, &there)
}

fn to_consumer(mut bench: Bench<'_>, home: &Area, there: &Area) -> Result<Verdict, Open> {
    let (sale, seller) = (bench.sale, bench.seller);
    let as_consumer = match sale.buyer {
        Buyer::Business => "; Reg. 282/2011 art. 18(2)",
        Buyer::Consumer => "",
    };
    let inside = matches!(home, Area::Member(_));
    if sale.supply == Supply::Services {
        bench.because(
            "services to consumers are taxed where the seller is, but for the exceptions of art. 46 to 59",
            "les services aux particuliers sont taxés chez le vendeur, hors exceptions des art. 46 à 59",
        );
        if !inside {
            return bench.exempt(Treatment::OutsideScope, there.code(), "art. 45");
        }
        let law = format!("art. 45{as_consumer}");
        return bench.charge(Treatment::Charge, home, &seller.home, &law);
    }
    let below = inside && !seller.over_threshold && seller.established.is_empty();
    if seller.oss && sale.on >= date(2015, 1, 1) {
        bench.because(
            "an electronic service to a consumer, declared through OSS",
            "un service électronique à un particulier, déclaré par le guichet unique (OSS)",
        );
        let law = format!("art. 58, 59c, 93{as_consumer}");
        return bench.charge(Treatment::ChargeOss, there, sale.to, &law);
    }
    if below {
        bench.because(
            "an electronic service below the threshold: VAT of the seller's country",
            "un service électronique sous le seuil : TVA du pays du vendeur",
        );
        let law = format!("art. 45, 59c(1){as_consumer}");
        return bench.charge(Treatment::Charge, home, &seller.home, &law);
    }
    bench.because(
        "an electronic service above the threshold without OSS: VAT is declared in the buyer's country",
        "un service électronique au-delà du seuil sans guichet unique : la TVA se déclare dans le pays de l'acheteur",
    );
    let law = format!("art. 58, 59c{as_consumer}");
    bench.charge(Treatment::ChargeLocalRegistration, there, sale.to, &law)
}
