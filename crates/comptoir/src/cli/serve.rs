//! `serve`: runs the hub until it is told to stop, and takes every new revision of the configuration as it comes.

use super::Context;
use crate::config::{self, Problem};
use crate::exit::{self, Failure};
use crate::workspace::{Role, Workspace, owner_name};
use crate::{api, console, hooks, metrics, out};
use clap::Args;
use comptoir_engine::hub::Hub;
use comptoir_engine::owner;
use comptoir_store::{Store, StoreError};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

#[derive(Debug, Args)]
pub struct ServeArguments {
    /// Where webhooks and health checks are answered.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR")]
    listen: SocketAddr,
    /// Makes every sound change of the workspace's files the next revision.
    #[arg(long)]
    watch: bool,
}

/// How often the watchdog looks after webhooks.
const TEND: Duration = Duration::from_secs(600);
/// The first wait after the watchdog failed; it doubles.
const TEND_AGAIN: Duration = Duration::from_millis(500);
/// How often expired documents are deleted.
const EXPIRE: Duration = Duration::from_secs(3_600);
/// How long a full store is left alone before it is tried again.
const FULL: Duration = Duration::from_secs(5);
/// How often a new head revision, and with `--watch` the files, are looked for.
const LOOK: Duration = Duration::from_secs(1);

/// Runs the command.
pub async fn run(context: &Context, arguments: ServeArguments) -> Result<u8, Failure> {
    let mut workspace = Workspace::open(&context.dir, Role::Serve).await?;
    let hub = Arc::new(workspace.hub(&owner_name()).await?);
    let listener = TcpListener::bind(arguments.listen)
        .await
        .map_err(|error| cannot_listen(context, arguments.listen, &error))?;
    let address = listener.local_addr()?;
    if context.json {
        out::json(&serde_json::json!({ "listening": address.to_string() }));
    } else {
        let text = context.either("listening on", "à l'écoute sur");
        out::talk(format!("{text} http://{address}"));
    }
    let door = hooks::Door::new(hub.clone());
    let desk = console::Desk::new(hub.clone(), &workspace);
    say_one_time_link(context, &workspace.store, address).await?;
    let web = tokio::spawn(answer(listener, door.clone(), desk.clone()));
    let mut told = std::pin::pin!(told_to_stop());
    let mut current = hub;
    let result = loop {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = start(&current, &workspace, stopped.clone());
        tasks.spawn(reconsider(current.clone(), stopped));
        let ended = tokio::select! {
            () = &mut told => End::Stop,
            failed = tasks.join_next() => End::Failed(failed.and_then(Result::ok)),
            next = next_revision(&workspace, arguments.watch) => End::Next(next.map(Box::new)),
        };
        stop.send(true).ok();
        while tasks.join_next().await.is_some() {}
        match ended {
            End::Stop => break Ok(exit::OK),
            End::Failed(Some(Err(error))) => break Err(error.into()),
            End::Failed(_) => {
                break Err(Failure::new(
                    exit::STORE,
                    "a part of the hub ended by itself",
                ));
            }
            End::Next(Err(failure)) => break Err(failure),
            End::Next(Ok(next)) => {
                workspace = *next;
                current = Arc::new(workspace.hub(&owner_name()).await?);
                door.lead_to(current.clone());
                desk.turn_to(current.clone(), &workspace);
                tracing::info!(revision = workspace.revision, "took the new revision");
            }
        }
    };
    web.abort();
    current.store.close().await;
    result
}

/// Answers webhooks, health checks, the API and the console.
pub async fn answer(
    listener: TcpListener,
    door: hooks::Door,
    desk: console::Desk,
) -> std::io::Result<()> {
    let router = hooks::router(door)
        .merge(api::router(desk.clone()))
        .merge(metrics::router(desk.clone()))
        .merge(console::router(desk));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await
}

/// Says how the first user is made, as long as there is none.
pub async fn say_one_time_link(
    context: &Context,
    store: &Store,
    address: SocketAddr,
) -> Result<(), Failure> {
    // Only this machine may open it: the link names this machine, wherever else it listens.
    let here = match address.ip().is_unspecified() {
        true => SocketAddr::new(std::net::Ipv4Addr::LOCALHOST.into(), address.port()),
        false => address,
    };
    let home = format!("http://{here}");
    let link = match console::one_time_link(store, &home).await {
        // Webhooks and owners must go on without room; the next start says it.
        Err(StoreError::Full) => None,
        link => link?,
    };
    if let Some(link) = link {
        let text = context.either(
            "console: nobody can sign in yet; make the first user on this machine, within 24 hours:",
            "console : personne ne peut se connecter encore ; créer le premier compte sur cette machine, sous 24 heures :",
        );
        out::talk(format!("{text}\n  {link}"));
    }
    Ok(())
}

fn cannot_listen(context: &Context, address: SocketAddr, error: &std::io::Error) -> Failure {
    let (cannot, choose) = (
        context.either("cannot listen on", "impossible d'écouter sur"),
        context.either(
            "choose another address with --listen",
            "choisir une autre adresse avec --listen",
        ),
    );
    Failure::new(
        exit::STORE,
        format!("{cannot} {address}: {error}; {choose}"),
    )
}

/// Why one revision's work ended.
enum End {
    Stop,
    Failed(Option<Result<(), StoreError>>),
    Next(Result<Box<Workspace>, Failure>),
}

/// Starts an owner for every connection, the watchdog of webhooks, the clerk, and the deletion of expired documents.
pub fn start(
    hub: &Arc<Hub>,
    workspace: &Workspace,
    stop: watch::Receiver<bool>,
) -> JoinSet<Result<(), StoreError>> {
    let mut tasks = JoinSet::new();
    for connection in hub.connections.values() {
        tasks.spawn(owner::run(hub.clone(), connection.clone(), stop.clone()));
    }
    tasks.spawn(expire(hub.clone(), stop.clone()));
    tasks.spawn(console::clerk(hub.clone(), stop.clone()));
    if let Some(public) = &workspace.config.hub.public_url {
        tasks.spawn(tend(hub.clone(), public.clone(), stop));
    }
    tasks
}

/// Waits until the head is another revision that can be used. One that cannot (its connector is not there, a secret is missing) is
/// said once and left, while the present one works on.
async fn next_revision(workspace: &Workspace, watch: bool) -> Result<Workspace, Failure> {
    let mut refused = None;
    let mut files = watch.then(|| config::read(&workspace.dir).ok()).flatten();
    loop {
        tokio::time::sleep(LOOK).await;
        if let Some(seen) = &mut files
            && let Ok(now) = config::read(&workspace.dir)
            && now != *seen
        {
            match push_files(workspace, now.clone()).await {
                Ok(()) => *seen = now,
                // The present revision works on, and these files are tried again.
                Err(failure) => {
                    tracing::error!(problem = failure.text, "the changed files are not taken");
                    tokio::time::sleep(FULL).await;
                }
            }
        }
        let head = match workspace.store.head().await {
            Ok(head) => head,
            // The owners say what is wrong with the store.
            Err(_) => continue,
        };
        if head == Some(workspace.revision) || head.is_none() || head == refused {
            continue;
        }
        match workspace.at_head().await {
            Ok(next) => return Ok(next),
            Err(failure) => {
                tracing::error!(revision = ?head, problem = failure.text, "the new revision cannot be used; the present one works on");
                refused = head;
            }
        }
    }
}

async fn push_files(workspace: &Workspace, files: config::Files) -> Result<(), Failure> {
    let parsed: Result<_, Vec<Problem>> = config::parse(&files);
    match parsed {
        Ok(_) => {
            let head = workspace.store.head().await?;
            workspace.store.push_revision(head, "files", files).await?;
        }
        Err(problems) => {
            for problem in problems {
                tracing::error!(%problem, "the changed files are not taken");
            }
        }
    }
    Ok(())
}

/// Whether an owner's process has ended, when it ran on this machine.
pub fn process_has_ended(owner: &str) -> bool {
    let this = owner_name();
    let (Some((host, pid)), Some((this_host, _))) = (owner.rsplit_once(':'), this.rsplit_once(':'))
    else {
        return false;
    };
    host == this_host && Path::new("/proc/self").exists() && !Path::new("/proc").join(pid).exists()
}

/// Decides again what waits or is held: under a revision that is new, or that was pushed while no hub ran.
async fn reconsider(hub: Arc<Hub>, mut stop: watch::Receiver<bool>) -> Result<(), StoreError> {
    for flow in &hub.flows {
        while let Err(error) = hub.store.reconsider(&flow.name).await {
            if !matches!(error, StoreError::Full) {
                return Err(error);
            }
            tokio::select! {
                () = tokio::time::sleep(FULL) => {}
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
            }
        }
    }
    stop.wait_for(|stop| *stop).await.ok();
    Ok(())
}

async fn expire(hub: Arc<Hub>, mut stop: watch::Receiver<bool>) -> Result<(), StoreError> {
    loop {
        let now = hub.store.now().await?;
        match hub.store.expire(now).await {
            // Room is what expiry makes; the owners say that there is none.
            Ok(_) | Err(StoreError::Full) => {}
            Err(error) => return Err(error),
        }
        tokio::select! {
            () = tokio::time::sleep(EXPIRE) => {}
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
        }
    }
}

/// Makes sure that webhooks come, and polls where one had been switched off.
async fn tend(
    hub: Arc<Hub>,
    public: String,
    mut stop: watch::Receiver<bool>,
) -> Result<(), StoreError> {
    let mut failures = 0;
    loop {
        let mut failed = false;
        for connection in hub.connections.values() {
            if !connection.connector.capabilities().hooks {
                continue;
            }
            let address = format!("{}/hooks/{}", public.trim_end_matches('/'), connection.name);
            match connection.connector.tend_hooks(&address).await {
                Ok(report) if !report.recreated.is_empty() => {
                    tracing::warn!(connection = %connection.name, topics = ?report.recreated, "webhooks made again");
                    match hub.store.poll_now(&connection.name).await {
                        // A poll comes by itself too; the owners say that there is no room.
                        Ok(()) | Err(StoreError::Full) => {}
                        Err(error) => return Err(error),
                    }
                    connection.look.notify_one();
                }
                Ok(_) => {}
                Err(fault) => {
                    failed = true;
                    tracing::warn!(connection = %connection.name, %fault, "webhooks not tended");
                }
            }
        }
        failures = if failed { failures + 1 } else { 0 };
        // Without webhooks orders still come, by polling, only later: no reason to wait long before the next try.
        let wait = match failures {
            0 => TEND,
            failures => TEND_AGAIN.saturating_mul(1 << failures.min(8)).min(TEND),
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
        }
    }
}

/// Ctrl-C or the service manager.
pub async fn told_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            interrupt.await.ok();
        }
    }
}
