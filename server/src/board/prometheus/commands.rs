//! The commands that the application sends to its database: OpenTelemetry's `db.client.operation.duration` as sums, and its connections.

use watchboard_wire::{CommandName, CommandTotals, CommandsSnapshot, Pool};

use super::{
    exposition::{Exposition, Kind},
    text::{escape_label, seconds},
};

const DURATION: &str = "db_client_operation_duration_seconds";

type MetricReader<T> = fn(&T) -> u64;

const COUNTERS: [(&str, &str, MetricReader<CommandTotals>); 3] = [
    ("watchboard_database_commands_total", "Commands that were sent.", |totals| totals.sent),
    ("watchboard_database_commands_failed_total", "Commands that failed.", |totals| totals.failed),
    ("watchboard_database_commands_cancelled_total", "Commands given up by their senders.", |totals| totals.cancelled),
];
const GAUGES: [(&str, &str, MetricReader<Pool>); 2] = [
    ("db_client_connection_max", "As many connections as there may be.", |pool| pool.max),
    ("db_client_connection_pending_requests", "Those who wait for a connection.", |pool| pool.waiting),
];

pub(super) fn write(out: &mut Exposition, commands: &CommandsSnapshot) {
    out.family(Kind::Summary, DURATION, "Time from sending a command to its answer.");
    for totals in &commands.totals {
        let labels = command_labels(&totals.name);
        out.sample(&format!("{DURATION}_sum"), &labels, seconds(totals.duration_sum_us));
        out.sample(&format!("{DURATION}_count"), &labels, totals.fine + totals.failed);
    }
    for (name, help, read) in COUNTERS {
        let samples = commands.totals.iter().map(|totals| (command_labels(&totals.name), read(totals)));
        out.all((Kind::Counter, name, help), samples);
    }
    // Not `db.client.connection.count`: names that end so are those of histograms in Prometheus.
    let connections = commands.pools.iter().flat_map(|pool| {
        let of_state = |state| format!("{},db_client_connection_state=\"{state}\"", pool_label(pool));
        [(of_state("used"), pool.in_use), (of_state("idle"), pool.size.saturating_sub(pool.in_use))]
    });
    out.all((Kind::Gauge, "db_client_connections_usage", "Connections of the application's pools."), connections);
    for (name, help, read) in GAUGES {
        out.all((Kind::Gauge, name, help), commands.pools.iter().map(|pool| (pool_label(pool), read(pool))));
    }
}

fn pool_label(pool: &Pool) -> String {
    format!("db_client_connection_pool_name=\"{}\"", escape_label(&pool.address))
}

fn command_labels(CommandName { command, database, collection }: &CommandName) -> String {
    let [command, database, collection] = [command, database, collection].map(|name| escape_label(name));
    format!(
        "db_system_name=\"mongodb\",db_operation_name=\"{command}\",db_namespace=\"{database}\",db_collection_name=\"{collection}\""
    )
}
