//! The monitor that the program's settings ask for.

use std::{fs, io, path::PathBuf};

use watchboard::{Builder, Capacity, Database, LocalOnly, Monitor, Routes, WatchTarget};

use crate::{config::Config, login::AccessMode, proxy::ProxyBounds, serve::Bounds};

/// What the program bounds, as the board shows it.
pub(super) struct Capacities {
    pub(super) board: Capacity,
    pub(super) connections: Capacity,
    pub(super) proxy: ProxyBounds,
}

impl Capacities {
    pub(super) fn new(bounds: &Bounds) -> Self {
        Self {
            board: Capacity::new("connections to the board", bounds.board),
            connections: Capacity::new("connections", bounds.connections),
            proxy: ProxyBounds {
                requests: Capacity::new("requests in progress", bounds.requests),
                tunnels: Capacity::new("tunnels (WebSockets)", bounds.tunnels),
                streams: Capacity::new("streams", bounds.streams),
            },
        }
    }

    fn show(&self, builder: Builder, has_upstream: bool) -> Builder {
        let builder = builder.capacity(&self.board);
        if !has_upstream {
            return builder;
        }
        // A stream without a place keeps that of its request: it is no problem that all places of streams are taken.
        builder.capacity(&self.connections).capacity(&self.proxy.requests).capacity(&self.proxy.tunnels)
    }
}

/// What is watched, and who may see it.
pub(super) struct Subject {
    pub(super) target: Option<WatchTarget>,
    pub(super) database: Database,
    pub(super) access: AccessMode,
    /// The address of the board, for its sign-in link.
    pub(super) url: String,
    /// The address of the proxy.
    pub(super) proxy_url: Option<String>,
}

/// Starts the monitor.
pub(super) fn start(config: &Config, subject: Subject, capacities: &Capacities, routes: &Routes) -> Monitor {
    let Subject { target, database, access, url, proxy_url } = subject;
    let mut builder = Monitor::builder().database(database);
    builder = match target {
        // The board names the application by its process.
        Some(target) => builder.watch_process(target),
        None => builder.service(if config.is_demo() { "demo shop" } else { "watchboard" }),
    };
    if let Some(service) = &config.service {
        builder = builder.service(service);
    }
    if let Some(uri) = &config.fleet {
        builder = builder.fleet(uri).url(&url);
        // A board alone has no figures of an application for the fleet.
        let is_alone = config.upstream.is_none() && !config.is_demo();
        let name = config.instance.as_deref().or(is_alone.then_some(""));
        builder = name.into_iter().fold(builder, Builder::instance);
    }
    builder = capacities.show(builder, config.upstream.is_some());
    if config.upstream.is_some() {
        builder = builder.routes(routes.clone());
    }
    builder = match access {
        AccessMode::Login(login) => builder.access(*login),
        AccessMode::LocalOnly => builder.access(LocalOnly::default()),
        // The library's default. Only this program knows the address.
        AccessMode::SignInLink => builder.url(url),
    };
    if let Some(proxy_url) = proxy_url {
        builder = builder.proxy_url(proxy_url);
    }
    builder = config.rules.apply(builder).ready_needs_database(config.ready_needs_database);
    builder = builder.keep_error_text(config.keep_error_text);
    if let Some(version) = &config.service_version {
        builder = builder.version(version);
    }
    if let Some(folder) = history_folder(config) {
        builder = builder.data_dir(folder);
    }
    if let Some(mib) = config.history_max_mib {
        builder = builder.history_max_bytes(u64::from(mib) << 20);
    }
    builder = config.history_keep.iter().fold(builder, |builder, (step, time)| builder.history_keep(*step, *time));
    match &config.trace_url {
        Some(template) => builder.trace_url(template.clone()).build(),
        None => builder.build(),
    }
}

/// The folder for the history. A folder that nobody asked for has to be writable.
fn history_folder(config: &Config) -> Option<PathBuf> {
    let folder = config.history_folder()?;
    let is_writable = || {
        fs::create_dir_all(&folder)?;
        rustix::fs::access(&folder, rustix::fs::Access::WRITE_OK).map_err(io::Error::from)
    };
    match is_writable() {
        Err(error) if config.data_dir.is_none() => {
            tracing::info!("the history is in memory alone: {} cannot be written: {error}", folder.display());
            None
        }
        _ => {
            tracing::info!("the history is kept in {}", folder.display());
            Some(folder)
        }
    }
}
