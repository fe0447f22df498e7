//! A simulator that can be switched off: its connections end with it, as those of a machine do.

use axum::Router;
use comptoir_sim::server::Server;
use std::net::TcpListener;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// A runtime for what runs beside a test.
pub fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime")
}

/// An address of this machine that nobody uses now.
pub fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").to_string()
}

/// A system at an address, on or off.
pub struct Power {
    address: String,
    on: Option<(Server, Runtime)>,
}

impl Power {
    /// Off, at an address.
    pub fn new(address: &str) -> Self {
        Power {
            address: address.to_owned(),
            on: None,
        }
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Switches it on, in the place of what answered before.
    pub fn on(&mut self, router: Router) {
        self.off();
        let runtime = runtime();
        let until = Instant::now() + Duration::from_secs(10);
        let server = loop {
            match runtime.block_on(Server::on(&self.address, router.clone())) {
                Ok(server) => break server,
                // Another test's connection may have this port for a moment.
                Err(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(50)),
                Err(error) => panic!("{}: {error}", self.address),
            }
        };
        self.on = Some((server, runtime));
    }

    /// Switches it off; whoever is connected is cut off.
    pub fn off(&mut self) {
        if let Some((server, runtime)) = self.on.take() {
            drop(server);
            runtime.shutdown_background();
        }
    }
}

impl Drop for Power {
    fn drop(&mut self) {
        self.off();
    }
}
