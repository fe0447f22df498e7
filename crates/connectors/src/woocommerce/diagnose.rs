//! Why a key was not looked at.

use super::settings::AuthMode;
use super::{Shop, fault, options, path};
use comptoir_kit::http::Call;
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};

impl Shop {
    /// Why the key was not looked at: the same answer has four causes, and asking in another way tells them apart.
    pub(super) async fn diagnose(&self, fault: Fault) -> Fault {
        if fault.code != Code::NotSeenAsHttps {
            return fault;
        }
        match self.try_as(AuthMode::OAuth1).await {
            // A signature that is refused was looked at, so the key is known: it is made for https, and the shop thinks it is http.
            Ok(()) => self.not_https(),
            Err(tried) if tried.code == Code::SignatureRefused => self.not_https(),
            Err(tried) if tried.code == Code::WrongKey => Fault::locked(
                Code::WrongKey,
                "the shop does not know this key; besides, it does not see the connection as HTTPS",
            ),
            // It sees HTTPS and ignores signatures, as it should.
            Err(tried) if tried.code == Code::WrongAddress => self.header_or_key(fault).await,
            Err(tried) if tried.next == Next::Locked => tried,
            Err(_) => fault,
        }
    }

    async fn header_or_key(&self, fault: Fault) -> Fault {
        let unknown = Fault::locked(
            Code::WrongKey,
            "the shop does not know this key; make a new one in WooCommerce > Settings > Advanced > REST API",
        );
        if self.mode == AuthMode::Query {
            return unknown;
        }
        if !self.settings.is_https() {
            return fault;
        }
        match self.try_as(AuthMode::Query).await {
            Ok(()) => Fault::locked(
                Code::NotSeenAsHttps,
                "the key is right, but the shop's server drops the Authorization header: let it through (`CGIPassAuth On`), or set auth to `query`",
            ),
            Err(tried) if tried.code == Code::NotSeenAsHttps => unknown,
            Err(tried) => tried,
        }
    }

    fn not_https(&self) -> Fault {
        Fault::locked(
            Code::NotSeenAsHttps,
            "the key is known, but WordPress does not see the connection as HTTPS and so ignores it: let the proxy in front say X-Forwarded-Proto: https and wp-config.php believe it, or use the http:// address with auth `oauth1`",
        )
    }

    async fn try_as(&self, mode: AuthMode) -> Result<(), Fault> {
        let http = self
            .kit
            .http
            .open(&self.settings.url, options(&self.settings, mode))?;
        let call =
            Call::get("probe.try", path("system_status")).query("_fields", "environment.version");
        fault::success(http.send(call).await?, mode).map(drop)
    }
}
