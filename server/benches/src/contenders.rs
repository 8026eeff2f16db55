//! Who is measured: the same router, below one layer each, applied as its users do.

use anyhow::{Context, Result};
use axum::{Router, routing::get};
use axum_otel_metrics::HttpMetricsLayerBuilder;
use axum_prometheus::PrometheusMetricLayer;
use opentelemetry_sdk::metrics::{ManualReader, SdkMeterProvider};
use tower_http::trace::TraceLayer;
use tower_layer::Identity;
use watchboard::Monitor;

use crate::forward::PassThrough;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contender {
    Bare,
    /// No service of its own at all: what axum takes because there is a layer.
    Identity,
    /// A layer that does nothing, but wraps the future and the body as every recorder must: axum boxes both again.
    PassThrough,
    Watchboard,
    Prometheus,
    Trace,
    OpenTelemetry,
}

impl Contender {
    pub(crate) const ALL: [Self; 7] = [
        Self::Bare,
        Self::Identity,
        Self::PassThrough,
        Self::Watchboard,
        Self::Prometheus,
        Self::Trace,
        Self::OpenTelemetry,
    ];

    /// Its name as an argument.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Identity => "identity",
            Self::PassThrough => "pass-through",
            Self::Watchboard => "watchboard",
            Self::Prometheus => "axum-prometheus",
            Self::Trace => "trace",
            Self::OpenTelemetry => "opentelemetry",
        }
    }

    /// Its name in the table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Bare => "none: axum alone",
            Self::Identity => "tower's Identity, which is not there when it is called",
            Self::PassThrough => "one that does nothing",
            Self::Watchboard => "**Watchboard**",
            Self::Prometheus => "axum-prometheus 0.10",
            Self::Trace => "tower-http's TraceLayer 0.7, nobody subscribed",
            Self::OpenTelemetry => "axum-otel-metrics 0.14, OpenTelemetry 0.32",
        }
    }

    pub(crate) fn named(name: &str) -> Result<Self> {
        let named = Self::ALL.into_iter().find(|contender| contender.name() == name);
        named.with_context(|| format!("no contender is called {name}"))
    }

    /// The router below its layer, as `axum::serve` has it: with its state, so that layers are not applied anew for each request.
    /// What the layer records into lives as long as the program.
    pub(crate) fn router(self) -> Router {
        self.layered().with_state(())
    }

    fn layered(self) -> Router {
        let router = Router::new().route("/users/{id}", get(|| async { "a user" }));
        match self {
            Self::Bare => router,
            Self::Identity => router.layer(Identity::new()),
            Self::PassThrough => router.layer(PassThrough::default()),
            Self::Watchboard => {
                let monitor: &Monitor = Box::leak(Box::new(Monitor::builder().build()));
                router.layer(monitor.layer())
            }
            Self::Prometheus => {
                // One recorder for the process: the metrics' facade takes no second.
                let (layer, handle) = PrometheusMetricLayer::pair();
                std::mem::forget(handle);
                router.layer(layer)
            }
            Self::Trace => router.layer(TraceLayer::new_for_http()),
            Self::OpenTelemetry => {
                let provider = SdkMeterProvider::builder().with_reader(ManualReader::builder().build()).build();
                opentelemetry::global::set_meter_provider(provider);
                router.layer(HttpMetricsLayerBuilder::new().build())
            }
        }
    }
}
