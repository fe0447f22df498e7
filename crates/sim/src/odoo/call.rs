//! One call of the API, and the transaction it is.

use super::ledger::Hand;
use super::methods::{self, Face};
use super::schema::M;
use super::session::{Env, Session, Vals};
use super::trouble::{Done, Trouble};
use super::value;
use super::version::Version;
use super::{Erp, HUB};
use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use serde_json::Value as Json;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

tokio::task_local! {
    /// Whether the request that this task answers has changed something.
    static EFFECT: Cell<bool>;
}

/// Answers a request, and says whether it changed something.
pub(crate) async fn with_effect<T>(answering: impl Future<Output = T>) -> (T, bool) {
    EFFECT
        .scope(Cell::new(false), async {
            let answer = answering.await;
            (answer, EFFECT.with(Cell::get))
        })
        .await
}

impl Erp {
    /// Who acts now, without any context.
    pub(super) fn env(&self, uid: i64) -> Env {
        Env {
            uid,
            now: Timestamp::now(),
            snapshot: self.0.turn.load(Ordering::Acquire),
            active_test: true,
            tz: None,
            disable_cancel_warning: false,
            company: 1,
            update_mode: false,
            noupdate: false,
            warehouse: None,
            sees_accounting: uid != HUB || !self.forbids(M::Move, "read"),
        }
    }

    /// One call of the API, with the time it takes.
    pub(super) async fn call(
        &self,
        model: &str,
        name: &str,
        positional: &[Json],
        named: Vals,
        face: Face,
    ) -> Done<Option<Json>> {
        *self
            .state()
            .calls
            .entry(format!("{model}.{name}"))
            .or_default() += 1;
        let version = self.options().version;
        let kits = self.options().manufacturing;
        let known = M::of(model).filter(|model| kits || !matches!(model, M::Bom | M::BomLine));
        let Some(known) = known else {
            return Err(match face {
                Face::JsonRpc => Trouble::user(format!("Object {model} doesn't exist")),
                Face::Json2 => Trouble::not_found(format!("the model '{model}' does not exist")),
            });
        };
        if name.starts_with('_') {
            return Err(Trouble::access(match version >= Version::V18 {
                true => {
                    format!("Private methods (such as '{model}.{name}') cannot be called remotely.")
                }
                false => {
                    format!("Private methods (such as {name}) cannot be called remotely.")
                }
            }));
        }
        let Some(method) = methods::find(version, known, name) else {
            return Err(no_method(version, face, model, name));
        };
        let args = methods::by_name(&method, name, positional, &named)?;
        methods::check(&method, face, name, &args)?;
        let mut env = self.env(HUB);
        self.enter_context(&mut env, args.get("context"))?;
        if let Some(answer) = self.rights(known, name, method.right, &args)? {
            return Ok(Some(answer));
        }
        if !self.options().latency.is_zero() {
            tokio::time::sleep(self.options().latency).await;
            env.now = Timestamp::now();
        }
        let race = name == "load" && self.loses_race();
        self.transact(env, Hand::Hub, |session| {
            session.run(known, name, &args, face, race)
        })
    }

    fn loses_race(&self) -> bool {
        let rate = self.options().race_rate.clamp(0.0, 1.0);
        rate > 0.0 && self.state().rng.random_bool(rate)
    }

    /// Reads a call's context.
    fn enter_context(&self, env: &mut Env, context: Option<&Json>) -> Done<()> {
        let Some(context) = context else {
            return Ok(());
        };
        let flag = |name: &str| context.get(name).is_some_and(value::truthy);
        let options = self.options();
        if let Some(Json::Array(companies)) = context.get("allowed_company_ids") {
            // One company is all there is.
            if companies.iter().any(|company| company.as_i64() != Some(1)) {
                return Err(Trouble::access(
                    "Access to unauthorized or invalid companies.",
                ));
            }
        }
        if let Some(lang) = context.get("lang").and_then(Json::as_str) {
            // Up to 17 an unknown language is passed over.
            if options.version >= Version::V18 && !options.languages.iter().any(|l| l == lang) {
                return Err(Trouble::user(format!("Invalid language code: {lang}")));
            }
        }
        env.active_test = context.get("active_test").is_none_or(value::truthy);
        env.disable_cancel_warning = flag("disable_cancel_warning");
        env.noupdate = flag("noupdate");
        env.update_mode = context.get("mode").is_some_and(|mode| mode == "update");
        let warehouse = context.get(options.version.warehouse_context());
        env.warehouse = warehouse.and_then(Json::as_i64);
        env.tz = context.get("tz").and_then(Json::as_str).map(str::to_owned);
        Ok(())
    }

    fn forbids(&self, model: M, right: &str) -> bool {
        let forbidden = &self.options().forbidden;
        forbidden
            .iter()
            .any(|(m, r)| m == model.name() && r == right)
    }

    /// Refuses what the user has no right to; answers questions about rights.
    fn rights(&self, model: M, name: &str, right: &str, args: &Vals) -> Done<Option<Json>> {
        let forbidden = |right: &str| self.forbids(model, right);
        if matches!(name, "check_access_rights" | "has_access") {
            let right = args
                .get("operation")
                .and_then(Json::as_str)
                .unwrap_or_default();
            let raises = name == "check_access_rights"
                && args.get("raise_exception").is_none_or(value::truthy);
            if !forbidden(right) || !raises {
                return Ok(Some(Json::Bool(!forbidden(right))));
            }
            return Err(no_right(model));
        }
        match forbidden(right) {
            true => Err(no_right(model)),
            false => Ok(None),
        }
    }

    /// One transaction: all of it, or nothing.
    pub(super) fn transact<T>(
        &self,
        mut env: Env,
        by: Hand,
        work: impl FnOnce(&mut Session<'_>) -> Done<T>,
    ) -> Done<T> {
        let mut state = self.state();
        let state = &mut *state;
        let lag = self.options().commit_lag.as_micros().min(i64::MAX as u128) as i64;
        if lag > 0 {
            let lag = SignedDuration::from_micros(state.rng.random_range(0..=lag));
            env.now = env.now.checked_sub(lag).unwrap_or(env.now);
        }
        let now = env.now;
        state.store.warehouse = env.warehouse;
        let savepoint = state.store.savepoint();
        let mut session = Session {
            store: &mut state.store,
            env,
            rounding: self.options().rounding,
            stale: BTreeSet::new(),
            looked: BTreeSet::new(),
        };
        let result = work(&mut session);
        if result.is_err() {
            state.store.roll_back(savepoint);
            return result;
        }
        session.settle();
        let looked = std::mem::take(&mut session.looked);
        let touched = state.store.commit();
        if !touched.is_empty() {
            if by == Hand::Hub {
                state.writes += 1;
                EFFECT.try_with(|effect| effect.set(true)).ok();
            }
            state.ledger.note(&state.store, &touched, by, now);
            self.0.turn.store(state.store.turn, Ordering::Release);
        }
        if by == Hand::Hub {
            state.ledger.look(&looked);
        }
        result
    }
}

fn no_method(version: Version, face: Face, model: &str, name: &str) -> Trouble {
    let new = format!("The method '{model}.{name}' does not exist");
    match face {
        Face::Json2 => Trouble::not_found(new),
        Face::JsonRpc if version >= Version::V18 => Trouble::attribute(new),
        Face::JsonRpc if version == Version::V17 => Trouble::attribute(format!(
            "The method '{name}' does not exist on the model '{model}'"
        )),
        Face::JsonRpc => {
            Trouble::attribute(format!("type object '{model}' has no attribute '{name}'"))
        }
    }
}

fn no_right(model: M) -> Trouble {
    Trouble::access(format!(
        "You are not allowed to access '{}' ({}) records.\n\nThis operation is allowed for the following groups:\n\t- Sales/Administrator\n\nContact your administrator to request access if necessary.",
        model.title(),
        model.name()
    ))
}
