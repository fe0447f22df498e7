//! The same messages in French.

use crate::bench::{Bench, Setup};
use comptoir_model::code::{Code, Language};
use std::time::Duration;

fn french(code: &str) -> &'static str {
    let code = Code::parse(code).expect("a code");
    code.title(Language::French).trim_end_matches('.')
}

#[test]
fn messages_come_in_french() {
    let mut bench = Bench::new(Setup::default());
    bench.variable("LANG", "fr_FR.UTF-8");
    let flow = bench.read("flows/orders.toml");
    let mistakes: [(&str, &str, &str, &[&str]); 6] = [
        (
            "statuses =",
            "statusses =",
            "CMP-0501",
            &[
                "flows/orders.toml:5 : ",
                "il n'y a pas de réglage",
                "vouliez-vous dire `statuses` ?",
            ],
        ),
        (
            "mode = \"live\"",
            "mode = \"life\"",
            "CMP-0502",
            &[
                "n'est pas une des valeurs possibles",
                "vouliez-vous dire `live` ?",
            ],
        ),
        (
            "mode = \"live\"",
            "mode = \"live",
            "CMP-0500",
            &[french("CMP-0500")],
        ),
        (
            "from = \"shop\"",
            "from = \"shopp\"",
            "CMP-0503",
            &["ne nomme aucune connexion", "vouliez-vous dire `shop` ?"],
        ),
        (
            "every_ms = 500",
            "cron = \"souvent\"",
            "CMP-0502",
            &["n'est pas un horaire", "minute heure jour"],
        ),
        (
            "[policy.products]",
            "[policy.fields]\nfoo = \"x\"\n[policy.products]",
            "CMP-0507",
            &["n'est pas une valeur de commande", "connus ici : "],
        ),
    ];
    for (from, to, code, says) in mistakes {
        bench.replace("flows/orders.toml", from, to);
        bench.run(&["config", "check"]).told(3, code).says(says);
        bench.write("flows/orders.toml", &flow);
    }
    bench.secret("ODOO_KEY", "key-of-someone-else");
    let check = bench.run(&["check"]);
    check
        .told(1, "CMP-0100")
        .says(&[french("CMP-0100"), "commandes lues"]);

    let serve = bench.serve();
    crate::process::wait("the pause", Duration::from_secs(20), || {
        bench.pause("erp").is_some()
    });
    let status = bench.does(&["status"]);
    status.says(&["suspendue", "CMP-0100", french("CMP-0100")]);
    let second = bench.run(&["serve", "--listen", "127.0.0.1:0"]);
    second
        .told(4, "CMP-0600")
        .says(&["utilise déjà cette base"]);
    let stale = bench.run(&["config", "push", "--parent", "7"]);
    stale
        .told(4, "CMP-0505")
        .says(&["la révision courante", "publier de nouveau"]);
    let unknown = bench.run(&["explain", "ordres", "1"]);
    unknown.told(3, "CMP-0503").says(&["il n'y a pas de flux"]);
    serve.stop();

    bench.secret("ODOO_KEY", "simulated-key");
    let serve = bench.serve();
    bench.settle();
    bench.does(&["hold", "list"]).says(&["Donner la référence"]);
    serve.stop();
    bench.shop.off();
    let ran = bench.run(&["sync", "orders", "--from", "2026-01-01T00:00:00Z"]);
    ran.told(5, "CMP-0200").says(&[french("CMP-0200")]);
}
