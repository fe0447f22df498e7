//! Passwords: argon2id, off the threads that answer requests.

use super::Desk;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use sha2::{Digest, Sha256};

/// The shortest password taken.
pub const SHORTEST: usize = 12;

/// Whether a password may be used: long enough, and not one character again and again or the user's own name.
pub fn is_strong(name: &str, password: &str) -> bool {
    let mut different: Vec<char> = password.chars().collect();
    let length = different.len();
    different.sort_unstable();
    different.dedup();
    let own = password.to_lowercase().replace(&name.to_lowercase(), "");
    length >= SHORTEST && different.len() >= 5 && own.chars().count() >= 6
}

/// The string that is kept of a password. None when the machine has no memory for it.
pub fn hash(password: &str) -> Option<String> {
    let hashed = Argon2::default().hash_password(password.as_bytes()).ok()?;
    Some(hashed.to_string())
}

/// Checks a password; with no kept string it takes as long as with one, so that nobody learns which names exist.
pub async fn check(desk: &Desk, password: String, kept: Option<String>) -> bool {
    let Ok(_place) = desk.0.hashing.acquire().await else {
        return false;
    };
    let checking = tokio::task::spawn_blocking(move || match kept {
        Some(kept) => PasswordHash::new(&kept).is_ok_and(|kept| {
            Argon2::default()
                .verify_password(password.as_bytes(), &kept)
                .is_ok()
        }),
        None => {
            hash(&password);
            false
        }
    });
    checking.await.unwrap_or(false)
}

/// Hashes a password beside the threads that answer requests.
pub async fn hash_beside(desk: &Desk, password: String) -> Option<String> {
    let _place = desk.0.hashing.acquire().await.ok()?;
    tokio::task::spawn_blocking(move || hash(&password))
        .await
        .ok()?
}

/// A new secret of 256 bits, as text.
pub fn secret() -> String {
    let bytes: [u8; 32] = rand::random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the store keeps of a secret.
pub fn kept(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// The token that forms of a session carry: only who knows the session's secret can tell it.
pub fn form_token(secret: &str) -> String {
    let hash: [u8; 32] = Sha256::digest(format!("form of {secret}")).into();
    hash[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_kept_as_argon2id_and_found_again() {
        let kept = hash("correct horse battery").unwrap();
        assert!(
            kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{kept}"
        );
        let parsed = PasswordHash::new(&kept).unwrap();
        let check = |text: &str| Argon2::default().verify_password(text.as_bytes(), &parsed);
        assert!(check("correct horse battery").is_ok());
        assert!(check("correct horse batterz").is_err());
    }

    #[test]
    fn weak_passwords_are_told() {
        for weak in ["short", "aaaaaaaaaaaaaaaa", "ana-lopez-ana", "121212121212"] {
            assert!(!is_strong("ana-lopez", weak), "{weak}");
        }
        assert!(is_strong("ana", "correct horse battery"));
    }
}
