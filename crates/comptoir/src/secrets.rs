//! Where secrets come from. They stand in no file of the workspace that is fit for git.

use crate::config::Problem;
use crate::exit::Failure;
use comptoir_kit::secret::Secret;
use comptoir_model::code::Code;
use comptoir_model::key::ConnectionName;
use comptoir_store::{MasterKey, Store};
use std::collections::BTreeMap;
use std::path::Path;

/// The environment variable that holds the master key of sealed secrets.
pub const MASTER_KEY: &str = "COMPTOIR_MASTER_KEY";

/// The file beside the workspace that holds variables for those who have no service manager to set them: `NAME=value` lines.
pub const FILE: &str = "comptoir.env";

/// The environment of the process, completed by [`FILE`].
pub struct EnvFile(BTreeMap<String, String>);

impl EnvFile {
    /// Reads the file, if there is one.
    ///
    /// # Errors
    /// [`Code::BadValue`] when others than its owner may read it.
    pub fn read(dir: &Path) -> Result<Self, Problem> {
        use std::os::unix::fs::PermissionsExt as _;
        let path = dir.join(FILE);
        let Ok(about) = std::fs::metadata(&path) else {
            return Ok(EnvFile(BTreeMap::new()));
        };
        if about.permissions().mode() & 0o077 != 0 {
            let fix = format!("chmod 600 {FILE}");
            return Err(Problem::new(
                Code::BadValue,
                "it holds secrets and others may read it",
                "il contient des secrets et d'autres peuvent le lire",
            )
            .file(FILE)
            .fix(fix.clone(), fix));
        }
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Problem::worded(Code::BadValue, error).file(FILE))?;
        let mut values = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            // The line itself may be a secret: it is not repeated.
            let (name, value) = line.split_once('=').ok_or_else(|| {
                Problem::new(
                    Code::BadValue,
                    "a line is no NAME=value",
                    "une ligne n'est pas NOM=valeur",
                )
                .file(FILE)
                .line(index + 1)
            })?;
            let value = value.trim().trim_matches('"');
            values.insert(name.trim().to_owned(), value.to_owned());
        }
        Ok(EnvFile(values))
    }

    /// Writes the file, readable by its owner only.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(dir: &Path, values: &[(&str, String)]) -> std::io::Result<()> {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        let path = dir.join(FILE);
        // A file that is there keeps its own rights: made anew, it has these.
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        for (name, value) in values {
            writeln!(file, "{name}={value}")?;
        }
        Ok(())
    }

    /// A variable: of the process first, then of the file.
    pub fn get(&self, name: &str) -> Option<String> {
        std::env::var(name)
            .ok()
            .or_else(|| self.0.get(name).cloned())
    }
}

/// The secrets a workspace may use: the environment first, then `comptoir.env`, then the sealed ones.
pub struct Secrets {
    environment: EnvFile,
    sealed: BTreeMap<String, Vec<String>>,
}

impl Secrets {
    /// Unseals every secret of a store. Without a master key there are none.
    pub async fn load(dir: &Path, store: &Store) -> Result<Self, Failure> {
        let environment = EnvFile::read(dir)?;
        let mut sealed = BTreeMap::new();
        if let Some(master) = master_key(&environment)? {
            for name in store.secret_names().await? {
                let values = store.secrets(&master, &name).await?;
                sealed.insert(
                    name,
                    values.into_iter().map(|value| value.to_string()).collect(),
                );
            }
        }
        Ok(Secrets {
            environment,
            sealed,
        })
    }

    /// The newest value of a secret.
    pub fn get(&self, name: &str) -> Option<String> {
        self.environment
            .get(name)
            .or_else(|| self.sealed.get(name)?.first().cloned())
    }

    /// The webhook secrets of a connection: `NAME_WEBHOOK_SECRET` with the connection's name in capitals, two during a rotation.
    pub fn webhook(&self, connection: &ConnectionName) -> Vec<Secret> {
        let name = webhook_secret_name(connection);
        if let Some(value) = self.environment.get(&name) {
            return vec![Secret::new(value)];
        }
        let sealed = self.sealed.get(&name);
        sealed
            .into_iter()
            .flatten()
            .map(|value| Secret::new(value.as_str()))
            .collect()
    }
}

/// `SHOP_FR_WEBHOOK_SECRET` for `shop-fr`.
pub fn webhook_secret_name(connection: &ConnectionName) -> String {
    let upper = connection.as_str().to_uppercase().replace('-', "_");
    format!("{upper}_WEBHOOK_SECRET")
}

/// The master key of sealed secrets, if the environment has one.
pub fn master_key(environment: &EnvFile) -> Result<Option<MasterKey>, Failure> {
    match environment.get(MASTER_KEY) {
        Some(text) => Ok(Some(MasterKey::from_text(&text)?)),
        None => Ok(None),
    }
}
