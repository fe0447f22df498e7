//! A simulator on a port of this machine.

use axum::Router;
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A router that is being served. Dropping it stops the server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Serves on a free port of the loopback address.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(router: Router) -> io::Result<Server> {
        Server::on("127.0.0.1:0", router).await
    }

    /// Serves on an address such as `127.0.0.1:8090`.
    ///
    /// # Errors
    /// When the address is in use or not this machine's.
    pub async fn on(address: &str, router: Router) -> io::Result<Server> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Server { address, task })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
