//! From a workspace folder to a hub that can work: configuration, store, connectors.

use crate::config::{self, Config, ConnectionConfig, Files, HubConfig, Problem};
use crate::exit::Failure;
use crate::secrets::{EnvFile, Secrets};
use comptoir_engine::connection::Connection;
use comptoir_engine::flow::Flow;
use comptoir_engine::hub::Hub;
use comptoir_kit::http::HttpMaker;
use comptoir_kit::secret::Secret;
use comptoir_kit::spec::{Kit, Spec};
use comptoir_kit::tape::Recording;
use comptoir_model::code::Code;
use comptoir_model::document::Digest;
use comptoir_model::key::{ConnectionName, FlowName};
use comptoir_model::rounding::Rounding;
use comptoir_store::{Store, StoreOptions, StoreUrl};
use std::path::{Path, PathBuf};

/// An opened workspace.
pub struct Workspace {
    /// The folder.
    pub dir: PathBuf,
    /// The checked configuration of the head revision, or of the files where nothing was pushed yet.
    pub config: Config,
    /// The texts it was parsed from.
    pub files: Files,
    /// Its number; 0 when it comes straight from the files.
    pub revision: i64,
    /// The store.
    pub store: Store,
}

/// How a command opens the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It owns connections: one per SQLite file.
    Serve,
    /// It works beside a running `serve`.
    Beside,
}

impl Workspace {
    /// Opens the folder's store. The configuration is the head revision; at first start the files become revision 1.
    pub async fn open(dir: &Path, role: Role) -> Result<Self, Failure> {
        let files = config::read(dir)?;
        // Only the main file is needed to find the store: a flow that is being edited must not stop `status`.
        let store = open_store(dir, &config::hub(&files)?, role).await?;
        let head = match store.head().await? {
            Some(head) => store.revision(head).await?.map(|row| (row.files, head)),
            None => None,
        };
        let (files, revision) = match head {
            Some(head) => head,
            None => {
                // What cannot be used does not become a revision.
                config::parse(&files)?;
                let revision = match role {
                    Role::Serve => store.push_revision(None, "files", files.clone()).await?,
                    Role::Beside => 0,
                };
                (files, revision)
            }
        };
        Ok(Workspace {
            dir: dir.to_owned(),
            config: config::parse(&files)?,
            files,
            revision,
            store,
        })
    }

    /// The digest of everything in the configuration that a flow uses: its own file, those of its connections, the main one, and every
    /// table. A plan is bound to it.
    pub fn bound(&self, name: &FlowName) -> String {
        let own = |connection: &ConnectionName| format!("connections/{connection}.toml");
        let sides = self.config.flows.get(name);
        let sides = sides.map(|flow| [own(&flow.from), own(&flow.to)]);
        let used = |path: &&String| {
            let other_flow = path.starts_with("flows/") && **path != format!("flows/{name}.toml");
            let other_side = path.starts_with("connections/")
                && sides.as_ref().is_some_and(|sides| !sides.contains(path));
            !other_flow && !other_side
        };
        let mut bytes = Vec::new();
        for path in self.files.keys().filter(used) {
            let text = &self.files[path];
            bytes.extend(format!("{path} {}\n{text}", text.len()).into_bytes());
        }
        Digest::of(&bytes).to_string()
    }

    /// The same workspace at the revision that is the head now.
    pub async fn at_head(&self) -> Result<Self, Failure> {
        let head = self.store.head().await?.unwrap_or_default();
        let files = self.store.revision(head).await?.map(|row| row.files);
        let files = files.unwrap_or_default();
        let next = Workspace {
            dir: self.dir.clone(),
            config: config::parse(&files)?,
            files,
            revision: head,
            store: self.store.clone(),
        };
        // Everything it names must be there before the present revision is given up.
        next.connections().await?;
        Ok(next)
    }

    /// The flows as the engine takes them.
    pub fn flows(&self) -> Vec<Flow> {
        flows(&self.config, self.revision)
    }

    /// Opens every connection.
    pub async fn connections(&self) -> Result<Vec<Connection>, Failure> {
        let secrets = Secrets::load(&self.dir, &self.store).await?;
        let mut connections = Vec::new();
        let mut problems = Vec::new();
        for (name, config) in &self.config.connections {
            let kit = Kit::new(name.clone()).with_webhook_secrets(secrets.webhook(name));
            let missing = missing_settings(name, config);
            match open_connection(name, config, kit, &secrets) {
                Ok(connection) => connections.push(connection),
                // What is missing is said better than the connector can.
                Err(problem) if missing.is_empty() || problem.code == Code::MissingSecret => {
                    problems.push(problem);
                }
                Err(_) => {}
            }
            problems.extend(missing);
        }
        if problems.is_empty() {
            Ok(connections)
        } else {
            Err(problems.into())
        }
    }

    /// The configuration of a connection, and its connector.
    pub fn connection(
        &self,
        name: &ConnectionName,
    ) -> Result<(&ConnectionConfig, &'static Spec), Problem> {
        match self.config.connections.get(name) {
            Some(config) => Ok((config, spec(&config.connector)?)),
            None => {
                let known = self.config.connections.keys().map(ConnectionName::as_str);
                let problem = Problem::new(
                    Code::UnknownName,
                    format!("there is no connection `{name}`"),
                    format!("il n'y a pas de connexion `{name}`"),
                );
                Err(problem.suggest(name.as_str(), known))
            }
        }
    }

    /// How a connection rounds: what its connector declares, and its file over that.
    pub fn rounding(&self, name: &ConnectionName) -> Rounding {
        let Ok((config, spec)) = self.connection(name) else {
            return Rounding::PER_LINE;
        };
        config.rounding.over(spec.capabilities.rounding)
    }

    /// One connection, with everything that it exchanges recorded. Its secret settings are taken out wherever they stand.
    pub async fn recorded(
        &self,
        name: &ConnectionName,
        recording: &Recording,
    ) -> Result<Connection, Failure> {
        let (config, spec) = self.connection(name)?;
        let secrets = Secrets::load(&self.dir, &self.store).await?;
        let watched = secret_settings(config, spec, &secrets)?;
        let http = HttpMaker::network(name.clone()).recording(recording.clone().watching(watched));
        let kit = Kit::new(name.clone()).with_http(http);
        Ok(open_connection(name, config, kit, &secrets)?)
    }

    /// A hub over everything.
    pub async fn hub(&self, owner: &str) -> Result<Hub, Failure> {
        let connections = self.connections().await?;
        let mut hub = Hub::new(
            self.store.clone(),
            connections,
            self.flows(),
            owner.to_owned(),
        )
        .await?;
        hub.patience.first_ms = self.config.hub.retry_first_ms;
        hub.patience.longest_ms = self.config.hub.retry_longest_seconds.saturating_mul(1_000);
        hub.patience.tries = self.config.hub.tries;
        hub.idle_ms = self.config.hub.idle_ms;
        hub.has_ended = if self.store.is_sqlite() {
            // The file is claimed by this process: whoever owned a connection before has ended.
            |_| true
        } else {
            crate::cli::process_has_ended
        };
        Ok(hub)
    }
}

/// Opens the store that a configuration names.
async fn open_store(dir: &Path, hub: &HubConfig, role: Role) -> Result<Store, Failure> {
    let environment = EnvFile::read(dir)?;
    let text = config::fill_in(
        &serde_json::Value::String(hub.store.clone()),
        "comptoir.toml",
        &|name| environment.get(name),
    )?;
    let text = text.as_str().unwrap_or_default();
    let url = match text.strip_prefix("sqlite:") {
        Some(path) => StoreUrl::sqlite(dir.join(path)),
        None => StoreUrl::parse(text)?,
    };
    let mut options = StoreOptions {
        retention_ms: i64::from(hub.keep_days) * 86_400_000,
        max_page_count: hub.store_at_most_mib.map(pages),
        ..StoreOptions::default()
    };
    if role == Role::Serve {
        options.serve = Some(comptoir_store::ServeName::this_process("comptoir serve"));
    }
    Ok(Store::open(&url, options).await?)
}

/// So many MiB in pages of SQLite, which are 4 KiB.
fn pages(mib: u32) -> u32 {
    mib.saturating_mul(256).max(1)
}

/// The flows of a configuration.
pub fn flows(config: &Config, revision: i64) -> Vec<Flow> {
    config
        .flows
        .iter()
        .map(|(name, flow)| engine_flow(name, flow, config, revision))
        .collect()
}

fn engine_flow(name: &FlowName, flow: &config::FlowConfig, config: &Config, revision: i64) -> Flow {
    Flow {
        name: name.clone(),
        kind: flow.kind,
        source: flow.from.clone(),
        target: flow.to.clone(),
        mode: flow.mode,
        start: flow.start,
        statuses: flow.statuses.clone(),
        tests: flow.tests,
        countries: flow.countries.clone(),
        except_countries: flow.except_countries.clone(),
        poll_ms: flow.every_ms,
        cron: flow.cron.clone(),
        quiet: flow.quiet.as_deref().and_then(config::quiet_minutes),
        time_zone: config.hub.time_zone.clone(),
        caps: flow.caps,
        policy: flow.policy.clone(),
        stock: flow.stock.clone(),
        shipment: flow.shipment.clone(),
        revision,
    }
}

/// The connector of this name.
pub fn spec(name: &str) -> Result<&'static Spec, Problem> {
    let all = comptoir_connectors::ALL;
    all.iter()
        .copied()
        .find(|spec| spec.name == name)
        .ok_or_else(|| {
            let known: Vec<&str> = all.iter().map(|spec| spec.name).collect();
            Problem::new(
                Code::UnknownName,
                format!("there is no connector `{name}`"),
                format!("il n'y a pas de connecteur `{name}`"),
            )
            .suggest(name, known)
        })
}

fn open_connection(
    name: &ConnectionName,
    config: &ConnectionConfig,
    kit: Kit,
    secrets: &Secrets,
) -> Result<Connection, Problem> {
    let file = format!("connections/{name}.toml");
    let spec = spec(&config.connector).map_err(|problem| problem.file(&file))?;
    let settings = config::fill_in(&config.settings, &file, &|name| secrets.get(name))?;
    let connector = (spec.open)(settings, kit).map_err(|fault| {
        let what = match &fault.field {
            Some(field) => format!("`{field}`: {}", fault.why),
            None => fault.why.clone(),
        };
        let setting = fault.field.as_deref().unwrap_or_default();
        Problem::worded(fault.code, what)
            .file(&file)
            .line(config.lines.get(setting).copied())
    })?;
    let mut connection = Connection::new(name.clone(), connector);
    connection.settle_seconds = config.settle_seconds;
    Ok(connection)
}

/// Settings that a connection needs and does not give, each with what it is.
fn missing_settings(name: &ConnectionName, config: &ConnectionConfig) -> Vec<Problem> {
    let Ok(spec) = spec(&config.connector) else {
        return Vec::new();
    };
    let schema = (spec.settings)().to_value();
    let required = schema["required"].as_array().into_iter().flatten();
    let missing = required.filter_map(|setting| setting.as_str());
    let missing = missing.filter(|setting| config.settings.get(setting).is_none());
    missing
        .map(|setting| {
            let about = schema["properties"][setting]["description"].as_str();
            let about = about.unwrap_or_default().replace('\n', " ");
            Problem::new(
                Code::BadValue,
                format!("the setting `{setting}` is missing"),
                format!("il manque le réglage `{setting}`"),
            )
            .file(format!("connections/{name}.toml"))
            .fix(
                about.clone(),
                format!("l'écrire dans ce fichier ; en anglais : {about}"),
            )
        })
        .collect()
}

/// The values of a connection's settings that its schema calls secret.
fn secret_settings(
    config: &ConnectionConfig,
    spec: &Spec,
    secrets: &Secrets,
) -> Result<Vec<Secret>, Problem> {
    let schema = (spec.settings)().to_value();
    let filled = config::fill_in(&config.settings, "", &|name| secrets.get(name))?;
    let fields = filled.as_object().into_iter().flatten();
    let values = fields.filter(|(name, _)| schema["properties"][name]["writeOnly"] == true);
    Ok(values
        .filter_map(|(_, value)| value.as_str())
        .map(Secret::new)
        .collect())
}

/// Who this process is as an owner: machine and process, so that a successor on the same machine knows a dead one.
pub fn owner_name() -> String {
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let host = match host.trim() {
        "" => "localhost",
        name => name,
    };
    format!("{host}:{}", std::process::id())
}
