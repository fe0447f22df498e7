//! The power fails between any two steps: after the restart the same is there as if it had not.

use crate::bench::{Bench, mug, order, total};
use crate::fakes::Erp;
use comptoir_engine::point::Point;

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

#[tokio::test]
async fn a_copy_of_the_store_put_back_doubles_nothing() {
    for point in [
        Point::PageStored,
        Point::IntentsStored,
        Point::OutcomesStored,
    ] {
        let bench = two_orders();
        assert!(bench.run_until(point, 0).await);
        let files = ["", "-wal"].map(|ending| {
            let mut file = bench.database().into_os_string();
            file.push(ending);
            std::path::PathBuf::from(file)
        });
        let copies = files.clone().map(|file| std::fs::read(file).ok());
        assert_eq!(bench.run().await, None);
        let expected = holdings(&bench.erp);
        for (file, copy) in files.iter().zip(copies) {
            std::fs::remove_file(file).ok();
            if let Some(copy) = copy {
                std::fs::write(file, copy).unwrap();
            }
        }
        let mut index = bench.database().into_os_string();
        index.push("-shm");
        std::fs::remove_file(index).ok();
        assert_eq!(bench.run().await, None, "{point:?}");
        assert_eq!(holdings(&bench.erp), expected, "{point:?}");
    }
}
