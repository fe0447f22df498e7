//! One storm: kills while orders arrive, then calm, then the judgement.

use crate::judge::{Counts, Findings, Seen, holds_of, judge, learnt_of};
use crate::place::{Folder, Place};
use crate::process::{Hub, Sim, Weather, comptoir, free_port, log_end};
use crate::row;
use comptoir_sim::seed::Seed;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

/// What a storm is.
pub struct Storm {
    /// Orders of the shop.
    pub orders: usize,
    /// Seconds over which they arrive.
    pub over: u64,
    /// How often the hub is killed meanwhile.
    pub kills: usize,
    /// Whether a copy of the store is put back.
    pub restore: Option<Restore>,
}

/// When a copy of the store is made and put back, in kills. The hub is down at both moments.
pub struct Restore {
    pub copied_after: usize,
    pub put_back_after: usize,
}

/// What came of a storm.
pub struct Outcome {
    pub findings: Findings,
    pub kills: usize,
    /// Kills that struck when a write was done in the ERP and its answer had not been sent.
    pub between: u64,
    /// Faults had to be ended for the rest to settle.
    pub quieted: bool,
    pub seconds: f64,
}

/// How long everything may take to settle with faults, and after that without them. Far longer than it takes.
const WITH_FAULTS: Duration = Duration::from_secs(120);
const WITHOUT_FAULTS: Duration = Duration::from_secs(240);
/// Looks at the shop's orders that must have brought nothing new before it counts as calm.
const CALM_LOOKS: u64 = 4;

/// Runs a storm with every seed that is asked for: one, or as many as `COMPTOIR_STORM_RUNS` says. All of them are run before any
/// that was not well fails the test.
pub fn all(store: &str, place: impl Fn() -> Place, storm: &Storm) {
    let number = |name: &str, usual| match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}")),
        Err(_) => usual,
    };
    let (runs, first): (u64, u64) = (
        number("COMPTOIR_STORM_RUNS", 1),
        number("COMPTOIR_STORM_SEED", 1),
    );
    let _turn = take_turn();
    let mut failed = Vec::new();
    for seed in first..first + runs {
        let folder = Folder::new();
        let place = place();
        let outcome = run(&place, folder.path(), storm, seed);
        row::tell(store, seed, storm, &outcome);
        let what = format!("seed {seed} on {store}");
        if !outcome.findings.is_well() {
            failed.push(format!(
                "{what}, kept in {} and {}: {:#?}",
                folder.keep().display(),
                place.keep(),
                outcome.findings
            ));
        }
        if outcome.between == 0 {
            failed.push(format!(
                "{what}: no kill struck between an effect and its answer"
            ));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Storms take turns, whatever runs them: two at once on a small machine would only wait for each other.
pub fn take_turn() -> File {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("storm.turn");
    let file = File::create(path).unwrap();
    file.lock().unwrap();
    file
}

/// Where the store is.
pub fn name_store(workspace: &Path, place: &Place) {
    let path = workspace.join("comptoir.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let usual = "store = \"sqlite:comptoir.db\"";
    assert!(text.contains(usual), "{text}");
    let ours = format!("store = \"{}\"", place.url());
    std::fs::write(&path, text.replace(usual, &ours)).unwrap();
}

fn run(place: &Place, workspace: &Path, storm: &Storm, seed: u64) -> Outcome {
    let began = Instant::now();
    let port = free_port();
    let weather = Weather {
        orders: storm.orders,
        over: storm.over,
        seed,
        rough: true,
    };
    let sim = Sim::start(workspace, &weather, &format!("http://127.0.0.1:{port}"));
    name_store(workspace, place);
    let mut hub = Hub::start(workspace, port);
    let arriving = Instant::now();
    for (nth, kill) in kills(storm, seed).into_iter().enumerate() {
        std::thread::sleep(kill.at.saturating_sub(arriving.elapsed()));
        if kill.between {
            sim.withhold();
        }
        hub.kill(workspace);
        match &storm.restore {
            Some(restore) if restore.copied_after == nth + 1 => place.copy(workspace),
            Some(restore) if restore.put_back_after == nth + 1 => place.put_back(workspace),
            _ => {}
        }
        hub = Hub::start(workspace, port);
    }
    let quieted = settle(&sim, workspace, &mut hub);
    let seen = look(&sim, workspace);
    Outcome {
        findings: judge(&seen, storm.orders),
        kills: storm.kills,
        between: seen.report.withheld.unheard,
        quieted,
        seconds: began.elapsed().as_secs_f64(),
    }
}

/// One kill.
struct Kill {
    /// When, from the start; a kill that is late comes at once.
    at: Duration,
    /// Only when a write is done and unanswered; if none comes for some seconds, all the same.
    between: bool,
}

/// When the hub is killed: at moments of the seed, while orders arrive.
fn kills(storm: &Storm, seed: u64) -> Vec<Kill> {
    let mut stream = Seed::of(seed, 0x57_0124);
    let span = i64::try_from(storm.over * 1_000).unwrap();
    let mut moments: Vec<i64> = (0..storm.kills).map(|_| stream.between(0, span)).collect();
    moments.sort_unstable();
    moments
        .into_iter()
        .map(|at| Kill {
            at: Duration::from_millis(at.unsigned_abs()),
            between: stream.chance(0.5),
        })
        .collect()
}

/// Waits until all orders have arrived and nothing is left to do. Answers whether the faults had to end for that.
pub fn settle(sim: &Sim, workspace: &Path, hub: &mut Hub) -> bool {
    if is_calm_within(WITH_FAULTS, sim, workspace, hub) {
        return false;
    }
    sim.quiet();
    assert!(
        is_calm_within(WITHOUT_FAULTS, sim, workspace, hub),
        "not settled: {:#}\n{}",
        comptoir(workspace, &["status"]),
        log_end(workspace)
    );
    true
}

/// Calm: nothing is due or waiting, and some looks at the shop later there is nothing new.
fn is_calm_within(limit: Duration, sim: &Sim, workspace: &Path, hub: &mut Hub) -> bool {
    let deadline = Instant::now() + limit;
    let mut calm: Option<(Counts, u64)> = None;
    while Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(200));
        hub.still_runs(workspace);
        let report = sim.report();
        if report.waiting > 0 {
            continue;
        }
        let counts = Counts::of(&comptoir(workspace, &["status"]));
        let looks = report.calls.get("shop GET /orders").copied().unwrap_or(0);
        calm = match calm {
            _ if counts.waiting > 0 => None,
            Some((before, since)) if before == counts => {
                if looks >= since + CALM_LOOKS {
                    return true;
                }
                calm
            }
            _ => Some((counts, looks)),
        };
    }
    false
}

/// Everything there is to see.
pub fn look(sim: &Sim, workspace: &Path) -> Seen {
    let report = sim.report();
    let undone = report.undone.iter().map(|undone| undone.id.clone());
    let learnt = undone.map(|id| {
        let explanation = comptoir(workspace, &["explain", "orders", &id]);
        (id, learnt_of(&explanation))
    });
    Seen {
        learnt: learnt.collect(),
        hub: Counts::of(&comptoir(workspace, &["status"])),
        holds: holds_of(&comptoir(workspace, &["hold", "list"])),
        report,
    }
}
