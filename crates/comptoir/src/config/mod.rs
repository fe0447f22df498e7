//! The workspace: a folder of TOML and CSV, fit for git. Read as plain texts first, so that files, the store's revisions and
//! an upload are checked by the same code.

mod check;
mod parse;
mod problem;
mod rule;
mod secret;
mod table;

pub use parse::{Config, ConnectionConfig, FlowConfig, HubConfig, hub, parse, quiet_minutes};
pub use problem::Problem;
pub use rule::problem_of;
pub use secret::fill_in;
pub use table::with_row;

use comptoir_model::code::Code;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The texts of a workspace by their path in it, such as `flows/orders.toml`.
pub type Files = BTreeMap<String, String>;

/// No file of a workspace is larger than this.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// Reads the files of a workspace that are configuration; everything else in the folder is left alone.
pub fn read(dir: &Path) -> Result<Files, Problem> {
    let main = dir.join("comptoir.toml");
    if !main.is_file() {
        return Err(Problem::new(
            Code::NoWorkspace,
            format!("{} holds no comptoir.toml", dir.display()),
            format!("{} ne contient pas de comptoir.toml", dir.display()),
        )
        .fix(
            "run `comptoir init --workspace DIR`, or name the folder with --workspace",
            "lancer `comptoir init --workspace DOSSIER`, ou nommer le dossier avec --workspace",
        ));
    }
    let mut files = Files::new();
    read_one(&main, "comptoir.toml", &mut files)?;
    for (folder, ending) in [
        ("connections", "toml"),
        ("flows", "toml"),
        ("rules", "toml"),
        ("tables", "csv"),
    ] {
        for path in listed(&dir.join(folder), ending)? {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            let key = format!("{folder}/{name}");
            read_one(&path, &key, &mut files)?;
        }
    }
    Ok(files)
}

fn listed(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, Problem> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(Vec::new());
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == ending)
        })
        .collect();
    paths.sort();
    Ok(paths)
}

fn read_one(path: &Path, key: &str, files: &mut Files) -> Result<(), Problem> {
    let code = if key.ends_with(".csv") {
        Code::BadTable
    } else {
        Code::BadToml
    };
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::InvalidData => Problem::new(
            code,
            "the file is no UTF-8",
            "le fichier n'est pas en UTF-8",
        )
        .file(key)
        .fix("save it as UTF-8", "l'enregistrer en UTF-8"),
        _ => Problem::worded(code, error).file(key),
    };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > LARGEST_FILE {
        let problem = Problem::new(
            code,
            format!("the file is larger than {LARGEST_FILE} bytes"),
            format!("le fichier dépasse {LARGEST_FILE} octets"),
        );
        return Err(problem.file(key));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    files.insert(key.to_owned(), text);
    Ok(())
}

/// Writes the files of a revision into a folder, and removes configuration files that the revision does not have.
pub fn write(dir: &Path, files: &Files) -> std::io::Result<()> {
    for (key, text) in files {
        let path = dir.join(key);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, text)?;
    }
    if let Ok(present) = read(dir) {
        for key in present.keys().filter(|key| !files.contains_key(*key)) {
            std::fs::remove_file(dir.join(key))?;
        }
    }
    Ok(())
}
