//! Files of a workspace that say what does not exist: file, line and the nearest right word, and nothing changed.

use crate::bench::{Bench, Setup};
use crate::process::Ran;

/// One mistake.
struct Mistake {
    file: &'static str,
    from: &'static str,
    to: &'static str,
    code: &'static str,
    says: &'static [&'static str],
}

const FLOW: &str = "flows/orders.toml";

const MISTAKES: &[Mistake] = &[
    Mistake {
        file: FLOW,
        from: "mode = \"live\"",
        to: "mode = \"live",
        code: "CMP-0500",
        says: &["flows/orders.toml:4: "],
    },
    Mistake {
        file: FLOW,
        from: "mode = \"live\"",
        to: "mode = \"live\"\nmode = \"live\"",
        code: "CMP-0500",
        says: &["flows/orders.toml:5: "],
    },
    Mistake {
        file: FLOW,
        from: "statuses =",
        to: "statusses =",
        code: "CMP-0501",
        says: &[
            "flows/orders.toml:5: ",
            "`statusses`",
            "did you mean `statuses`?",
        ],
    },
    Mistake {
        file: FLOW,
        from: "fee = \"FEE\"",
        to: "fees = \"FEE\"",
        code: "CMP-0501",
        says: &["flows/orders.toml:9: ", "`fees`", "did you mean `fee`?"],
    },
    Mistake {
        file: "comptoir.toml",
        from: "retry_first_ms",
        to: "retry_fist_ms",
        code: "CMP-0501",
        says: &["comptoir.toml:3: ", "did you mean `retry_first_ms`?"],
    },
    Mistake {
        file: "connections/shop.toml",
        from: "key = \"${WOO_KEY}\"",
        to: "kee = \"${WOO_KEY}\"",
        code: "CMP-0501",
        says: &[
            "connections/shop.toml:4: ",
            "`woocommerce`",
            "did you mean `key`?",
        ],
    },
    Mistake {
        file: FLOW,
        from: "mode = \"live\"",
        to: "mode = \"life\"",
        code: "CMP-0502",
        says: &["flows/orders.toml:4: ", "`life`", "did you mean `live`?"],
    },
    Mistake {
        file: FLOW,
        from: "every_ms = 500",
        to: "every_ms = \"often\"",
        code: "CMP-0502",
        says: &["flows/orders.toml:6: "],
    },
    Mistake {
        file: FLOW,
        from: "every_ms = 500",
        to: "start = \"2026-01-01\"",
        code: "CMP-0502",
        says: &["flows/orders.toml:6: "],
    },
    Mistake {
        file: FLOW,
        from: "every_ms = 500",
        to: "cron = \"every five minutes\"",
        code: "CMP-0502",
        says: &["flows/orders.toml:6: ", "every five minutes", "*/5 * * * *"],
    },
    Mistake {
        file: FLOW,
        from: "every_ms = 500",
        to: "quiet = \"at night\"",
        code: "CMP-0502",
        says: &["flows/orders.toml:6: ", "at night", "22:00-06:00"],
    },
    Mistake {
        file: FLOW,
        from: "from = \"shop\"\n",
        to: "",
        code: "CMP-0502",
        says: &["flows/orders.toml: ", "`from`", "missing"],
    },
    Mistake {
        file: "comptoir.toml",
        from: "tries = 30",
        to: "time_zone = \"Europe/Pariss\"",
        code: "CMP-0502",
        says: &[
            "comptoir.toml:5: ",
            "Europe/Pariss",
            "did you mean `Europe/Paris`?",
        ],
    },
    Mistake {
        file: "connections/erp.toml",
        from: "settle_seconds = 1",
        to: "settle_seconds = -1",
        code: "CMP-0502",
        says: &["connections/erp.toml:8: ", "settle_seconds"],
    },
    Mistake {
        file: "connections/erp.toml",
        from: "\"odoo\"",
        to: "\"oddo\"",
        code: "CMP-0503",
        says: &["connections/erp.toml:2: ", "`oddo`", "did you mean `odoo`?"],
    },
    Mistake {
        file: FLOW,
        from: "from = \"shop\"",
        to: "from = \"shopp\"",
        code: "CMP-0503",
        says: &["flows/orders.toml:2: ", "shopp", "did you mean `shop`?"],
    },
    Mistake {
        file: FLOW,
        from: "[policy.products]",
        to: "[tables]\ntaxes = \"taxis\"\n\n[policy.products]",
        code: "CMP-0503",
        says: &["flows/orders.toml:9: ", "taxis", "did you mean `taxes`?"],
    },
    Mistake {
        file: FLOW,
        from: "[policy.products]",
        to: "[policy.fields]\ntransactio = \"x_payment\"\n\n[policy.products]",
        code: "CMP-0507",
        says: &[
            "flows/orders.toml:9: ",
            "transactio",
            "did you mean `transaction`?",
        ],
    },
    Mistake {
        file: "tables/taxes.csv",
        from: "from,to\n",
        to: "tax;answer\n",
        code: "CMP-0508",
        says: &["tables/taxes.csv:1: ", "`from`", "`to`"],
    },
    Mistake {
        file: "tables/taxes.csv",
        from: "\"FR-TVA 20-1\",\"VAT FR 20 %\"",
        to: "\"FR-TVA 20-1\"",
        code: "CMP-0508",
        says: &["tables/taxes.csv:2: ", "no `to`", "delete the row"],
    },
];

fn tell(ran: &Ran, mistake: &Mistake) {
    ran.told(3, mistake.code).says(mistake.says);
    let page = format!("docs/errors/{}.md", mistake.code);
    ran.says(&[page.as_str()]);
}

/// Each mistake is named before a first start, and refused by a push beside a running hub, which it does not disturb.
#[test]
fn every_mistake_names_its_file_its_line_and_the_right_word() {
    let bench = Bench::new(Setup::default());
    let whole: Vec<String> = MISTAKES.iter().map(|one| bench.read(one.file)).collect();
    let plant = |mistake: &Mistake| bench.replace(mistake.file, mistake.from, mistake.to);
    for (mistake, whole) in MISTAKES.iter().zip(&whole) {
        plant(mistake);
        tell(&bench.run(&["config", "check"]), mistake);
        bench.write(mistake.file, whole);
    }
    plant(&MISTAKES[0]);
    tell(
        &bench.run(&["serve", "--listen", "127.0.0.1:0"]),
        &MISTAKES[0],
    );
    bench.write(FLOW, &whole[0]);

    let serve = bench.serve();
    for (mistake, whole) in MISTAKES.iter().zip(&whole) {
        plant(mistake);
        tell(&bench.run(&["config", "push"]), mistake);
        bench.write(mistake.file, whole);
    }
    assert_eq!(bench.status()["revision"], 1);
    bench.settle();
    bench.agree();
    serve.stop();
}

/// All mistakes of all files in one list.
#[test]
fn all_mistakes_are_told_at_once() {
    let bench = Bench::new(Setup::default());
    bench.replace("connections/erp.toml", "\"odoo\"", "\"oddo\"");
    bench.replace(FLOW, "from = \"shop\"", "from = \"shopp\"");
    bench.replace(
        "comptoir.toml",
        "tries = 30",
        "time_zone = \"Mars/Olympus\"",
    );
    let ran = bench.run(&["config", "check"]);
    ran.told(3, "CMP-0503").says(&[
        "comptoir.toml:5: ",
        "Europe/Paris",
        "connections/erp.toml:2: ",
        "flows/orders.toml:2: ",
    ]);
}

/// What only its connector can judge: told when it is opened, all of it at once.
#[test]
fn settings_that_do_not_fit_their_connector() {
    let mut bench = Bench::new(Setup::default());
    bench.replace("connections/shop.toml", "url = \"http", "url = \"ftp");
    bench.replace(
        "connections/erp.toml",
        "database = \"simulated\"",
        "database = \"\"",
    );
    let ran = bench.run(&["check"]);
    ran.told(3, "CMP-0502").says(&[
        "connections/shop.toml:3: ",
        "must begin with https://",
        "connections/erp.toml:4: ",
        "name the database",
    ]);
    let text = bench.stage.workspace()["connections/shop.toml"].clone();
    bench.write(
        "connections/shop.toml",
        &text.replace("\"ck_simulated\"", "\"cs_simulated\""),
    );
    bench.variable("ODOO_KEY", "");
    let ran = bench.run(&["check"]);
    ran.told(3, "CMP-0502")
        .says(&["seem to be swapped", "connections/shop.toml:4: "]);
}

/// A status that the shop does not have would let nothing in, in silence.
#[test]
fn a_status_that_is_none_of_the_shop() {
    let bench = Bench::new(Setup::default());
    bench.replace(FLOW, "\"processing\"", "\"procesing\"");
    let found = bench.check("CMP-0503");
    let [subject, what, _] = &found[0];
    assert_eq!((found.len(), subject.as_str()), (1, FLOW));
    assert_eq!(what, "statuses: \"procesing\"");
}

#[test]
fn files_that_are_no_text_and_folders_that_are_no_workspace() {
    let bench = Bench::new(Setup::default());
    let taxes = bench.dir().join("tables/taxes.csv");
    std::fs::write(&taxes, b"from,to\nTVA r\xe9duite,5.5\n").expect("written");
    let ran = bench.run(&["config", "check"]);
    ran.told(3, "CMP-0508").says(&["tables/taxes.csv", "UTF-8"]);
    std::fs::remove_file(&taxes).expect("removed");
    std::fs::write(bench.dir().join(FLOW), b"from = \"\xff\"\n").expect("written");
    let ran = bench.run(&["config", "check"]);
    ran.told(3, "CMP-0500").says(&[FLOW, "UTF-8"]);
    std::fs::remove_file(bench.dir().join("comptoir.toml")).expect("removed");
    let ran = bench.run(&["status"]);
    ran.told(3, "CMP-0506").says(&["comptoir init"]);
}

#[test]
fn names_that_are_not_there() {
    let bench = Bench::new(Setup::default());
    let serve = bench.serve();
    bench.settle();
    for command in [
        ["explain", "ordres", "1"].as_slice(),
        &["sync", "ordres"],
        &["adopt", "ordres"],
    ] {
        bench.run(command).told(3, "CMP-0503").says(&["`ordres`"]);
    }
    serve.stop();
}
