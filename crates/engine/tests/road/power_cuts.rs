//! The power fails between any two steps: after the restart the same is there as if it had not.

use crate::bench::{Bench, mug, order, total};
use crate::fakes::Erp;
use comptoir_engine::point::Point;
use comptoir_model::order::Life;
use comptoir_rules::policy::Confirm;

fn two_orders() -> Bench {
    let mut bench = Bench::new();
    bench.put("1", order("1001", "a@example.test"));
    let mut second = order("1002", "b@example.test");
    second.lines.push(mug("2", "4.17", "0.83"));
    total(&mut second);
    bench.put("2", second);
    bench
}

/// What the ERP holds, without the ids it gave.
fn holdings(erp: &Erp) -> Vec<String> {
    let mut held: Vec<String> = erp
        .orders()
        .into_iter()
        .map(|(_, order)| {
            let lines: Vec<String> = order
                .lines
                .iter()
                .map(|line| format!("{} {} × {}", line.id, line.quantity, line.unit_price))
                .collect();
            format!(
                "{} {:?} {} {}",
                order.reference,
                order.status.life,
                order.totals.total,
                lines.join(", ")
            )
        })
        .collect();
    held.sort();
    held.extend(erp.emails());
    held
}

#[tokio::test]
async fn an_undisturbed_road_ends_in_this_state() {
    let bench = two_orders();
    assert_eq!(bench.run().await, None);
    insta::assert_snapshot!(bench.state().await, @r"
    1: done - tries 0
      link o3 Live
      create proved
      confirm proved
    2: done - tries 0
      link o4 Live
      create proved
      confirm proved
    ");
    insta::assert_debug_snapshot!(holdings(&bench.erp), @r#"
    [
        "1001 Open 12 line-1 1 × 12",
        "1002 Open 17 line-1 1 × 12, line-2 1 × 5",
        "a@example.test",
        "b@example.test",
    ]
    "#);
}

#[tokio::test]
async fn a_second_run_writes_nothing() {
    let bench = two_orders();
    bench.run().await;
    let writes = bench.erp.writes();
    bench.run().await;
    // Even when every row is decided again.
    bench.reconsider().await;
    bench.run().await;
    assert_eq!(bench.erp.writes(), writes);
}

#[tokio::test]
async fn a_cut_at_any_point_changes_nothing_in_the_end() {
    let undisturbed = two_orders();
    undisturbed.run().await;
    let expected = holdings(&undisturbed.erp);
    let mut cuts = 0;
    for point in Point::ALL {
        for nth in 0..6 {
            let bench = two_orders();
            if !bench.run_until(point, nth).await {
                break;
            }
            cuts += 1;
            assert_eq!(bench.run().await, None, "{point:?} {nth}");
            assert_eq!(holdings(&bench.erp), expected, "{point:?} {nth}");
        }
    }
    assert!(cuts >= 12, "{cuts} cuts");
}

#[tokio::test]
async fn a_second_cut_during_the_recovery_changes_nothing_either() {
    let undisturbed = two_orders();
    undisturbed.run().await;
    let expected = holdings(&undisturbed.erp);
    for first in Point::ALL {
        for second in Point::ALL {
            let bench = two_orders();
            bench.run_until(first, 0).await;
            bench.run_until(second, 0).await;
            assert_eq!(bench.run().await, None, "{first:?}, {second:?}");
            assert_eq!(holdings(&bench.erp), expected, "{first:?}, {second:?}");
        }
    }
}

/// The files of a store: the database, its journal and the index of that.
fn files(bench: &Bench) -> [std::path::PathBuf; 3] {
    ["", "-wal", "-shm"].map(|ending| {
        let mut file = bench.database().into_os_string();
        file.push(ending);
        file.into()
    })
}

fn copy_of(bench: &Bench) -> [Option<Vec<u8>>; 2] {
    let [database, journal, _] = files(bench);
    [database, journal].map(|file| std::fs::read(file).ok())
}

fn put_back(bench: &Bench, copy: [Option<Vec<u8>>; 2]) {
    let [database, journal, index] = files(bench);
    for (file, copy) in [database, journal].iter().zip(copy) {
        std::fs::remove_file(file).ok();
        if let Some(copy) = copy {
            std::fs::write(file, copy).unwrap();
        }
    }
    std::fs::remove_file(index).ok();
}

#[tokio::test]
async fn what_a_copy_put_back_does_not_know_is_called_off_all_the_same() {
    for edited in [false, true] {
        let mut bench = Bench::new();
        bench.flow.policy.confirm = Confirm::Never;
        bench.put("1", order("1001", "a@example.test"));
        assert_eq!(bench.run().await, None);
        let copy = copy_of(&bench);
        bench.put("2", order("1002", "b@example.test"));
        assert_eq!(bench.run().await, None);
        let (id, _) = bench.erp.orders()[1].clone();
        if edited {
            bench.erp.edit(&id, |order| {
                order.lines.push(mug("9", "5.00", "1.00"));
                total(order);
            });
        }
        put_back(&bench, copy);
        let mut cancelled = order("1002", "b@example.test");
        cancelled.status.word = "cancelled".to_owned();
        cancelled.status.life = Life::Cancelled;
        bench.put("2", cancelled);
        assert_eq!(bench.run().await, None);
        let (stands, life) = if edited {
            ("held edited:order", Life::Draft)
        } else {
            ("done -", Life::Cancelled)
        };
        assert_eq!(bench.stands("2").await, stands);
        assert_eq!(bench.erp.orders()[1].1.status.life, life);
    }
}

#[tokio::test]
async fn a_copy_of_the_store_put_back_doubles_nothing() {
    for point in [
        Point::PageStored,
        Point::IntentsStored,
        Point::OutcomesStored,
    ] {
        let bench = two_orders();
        assert!(bench.run_until(point, 0).await);
        let copy = copy_of(&bench);
        assert_eq!(bench.run().await, None);
        let expected = holdings(&bench.erp);
        put_back(&bench, copy);
        assert_eq!(bench.run().await, None, "{point:?}");
        assert_eq!(holdings(&bench.erp), expected, "{point:?}");
    }
}
