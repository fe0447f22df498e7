//! OAuth 1.0a with HMAC-SHA256 (RFC 5849, and `HMAC-SHA256` as WooCommerce, Magento and NetSuite use it).

use crate::auth::set_header;
use crate::http::{Outgoing, encode};
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use comptoir_model::fault::Fault;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use reqwest::Url;
use sha2::Sha256;

/// Where the parameters travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the query, as WooCommerce reads them over plain http.
    Query,
    /// In the `Authorization` header.
    Header,
}

/// A consumer, with a token or without ("one-legged").
#[derive(Debug, Clone)]
pub struct OAuth1 {
    /// Public part of the consumer's key.
    pub consumer_key: String,
    /// Secret part.
    pub consumer_secret: Secret,
    /// Token and its secret; none for one-legged use.
    pub token: Option<(String, Secret)>,
    /// `realm` of the header; NetSuite wants the account id.
    pub realm: Option<String>,
    /// Where the parameters travel.
    pub place: Place,
}

impl OAuth1 {
    /// One-legged, with the parameters in the query.
    pub fn one_legged(consumer_key: impl Into<String>, consumer_secret: Secret) -> Self {
        OAuth1 {
            consumer_key: consumer_key.into(),
            consumer_secret,
            token: None,
            realm: None,
            place: Place::Query,
        }
    }

    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let mut secrets = vec![
            self.consumer_secret.clone(),
            Secret::new(&self.consumer_key),
        ];
        if let Some((token, secret)) = &self.token {
            secrets.extend([Secret::new(token), secret.clone()]);
        }
        secrets
    }

    pub(crate) fn authorise(&self, outgoing: &mut Outgoing, now: Timestamp) -> Result<(), Fault> {
        let nonce = nonce();
        let signed = self.parameters(
            outgoing.method.as_str(),
            &outgoing.url,
            &outgoing.query,
            &nonce,
            now,
        )?;
        match self.place {
            Place::Query => outgoing.query.extend(signed),
            Place::Header => set_header(outgoing, "authorization", self.header(&signed)),
        }
        Ok(())
    }

    /// The OAuth parameters of one request, the signature last.
    ///
    /// `url` is without query; `query` holds its parameters, not encoded. A nonce may never be used twice.
    ///
    /// # Errors
    /// None today: HMAC takes keys of any length.
    pub fn parameters(
        &self,
        method: &str,
        url: &Url,
        query: &[(String, String)],
        nonce: &str,
        now: Timestamp,
    ) -> Result<Vec<(String, String)>, Fault> {
        let mut own = vec![("oauth_consumer_key".to_owned(), self.consumer_key.clone())];
        if let Some((token, _)) = &self.token {
            own.push(("oauth_token".to_owned(), token.clone()));
        }
        own.extend([
            (
                "oauth_signature_method".to_owned(),
                "HMAC-SHA256".to_owned(),
            ),
            ("oauth_timestamp".to_owned(), now.as_second().to_string()),
            ("oauth_nonce".to_owned(), nonce.to_owned()),
            ("oauth_version".to_owned(), "1.0".to_owned()),
        ]);
        let base = base_string(method, url, query, &own);
        let key = format!(
            "{}&{}",
            encode(self.consumer_secret.expose()),
            self.token
                .as_ref()
                .map(|(_, secret)| encode(secret.expose()))
                .unwrap_or_default()
        );
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())
            .map_err(|_| Fault::bug("HMAC refused its key"))?;
        mac.update(base.as_bytes());
        let signature = BASE64.encode(mac.finalize().into_bytes());
        own.push(("oauth_signature".to_owned(), signature));
        Ok(own)
    }

    /// The `Authorization` header of these parameters.
    pub fn header(&self, parameters: &[(String, String)]) -> String {
        let realm = self
            .realm
            .iter()
            .map(|realm| format!("realm=\"{}\"", encode(realm)));
        let rest = parameters
            .iter()
            .map(|(name, value)| format!("{name}=\"{}\"", encode(value)));
        format!("OAuth {}", realm.chain(rest).collect::<Vec<_>>().join(", "))
    }
}

/// RFC 5849, section 3.4.1.
fn base_string(
    method: &str,
    url: &Url,
    query: &[(String, String)],
    own: &[(String, String)],
) -> String {
    let mut pairs: Vec<(String, String)> = query
        .iter()
        .chain(own)
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    pairs.sort();
    let parameters = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("&");
    // `Url` has lowered scheme and host and dropped a default port, as section 3.4.1.2 asks.
    let address = format!("{}{}", url.origin().ascii_serialization(), url.path());
    format!("{method}&{}&{}", encode(&address), encode(&parameters))
}

fn nonce() -> String {
    let bytes: [u8; 16] = rand::random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Vectors {
        vectors: Vec<Vector>,
    }

    #[derive(Deserialize)]
    struct Vector {
        name: String,
        method: String,
        url: String,
        realm: Option<String>,
        consumer_key: String,
        consumer_secret: String,
        token: String,
        token_secret: String,
        nonce: String,
        timestamp: String,
        base_string: Option<String>,
        signature: String,
        authorization: Option<String>,
    }

    #[test]
    fn signatures_equal_the_vectors() {
        let text = include_str!("../../tests/vectors/oauth1-hmac-sha256.json");
        let Vectors { vectors } = serde_json::from_str(text).unwrap();
        assert_eq!(vectors.len(), 7);
        for vector in vectors {
            let mut url: Url = vector.url.parse().unwrap();
            let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            url.set_query(None);
            let oauth = OAuth1 {
                consumer_key: vector.consumer_key,
                consumer_secret: Secret::new(vector.consumer_secret),
                token: Some((vector.token, Secret::new(vector.token_secret))),
                realm: vector.realm,
                place: Place::Header,
            };
            let now = Timestamp::from_second(vector.timestamp.parse().unwrap()).unwrap();
            let signed = oauth
                .parameters(&vector.method, &url, &query, &vector.nonce, now)
                .unwrap();
            let own = &signed[..signed.len() - 1];
            if let Some(expected) = vector.base_string {
                assert_eq!(
                    base_string(&vector.method, &url, &query, own),
                    expected,
                    "{}",
                    vector.name
                );
            }
            assert_eq!(
                signed[signed.len() - 1].1,
                vector.signature,
                "{}",
                vector.name
            );
            if let Some(expected) = vector.authorization {
                assert_eq!(oauth.header(&signed), expected, "{}", vector.name);
            }
        }
    }

    #[test]
    fn no_nonce_comes_twice() {
        let nonces: std::collections::BTreeSet<String> = (0..100).map(|_| nonce()).collect();
        assert_eq!(nonces.len(), 100);
    }
}
