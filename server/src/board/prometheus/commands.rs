//! The commands that the application sends to its database: OpenTelemetry's `db.client.operation.duration` as sums, and its
//! `db.client.connection.*`.

use std::fmt::{self, Write};

use watchboard_wire::{CommandName, CommandTotals, CommandsSnapshot, Pool};

use super::text::{escape_label, seconds};

const DURATION: &str = "db_client_operation_duration_seconds";
const CONNECTIONS: &str = "db_client_connection_count";

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

pub(super) fn write_all(out: &mut String, commands: &CommandsSnapshot) -> fmt::Result {
    writeln!(out, "# HELP {DURATION} Time from sending a command to its answer.\n# TYPE {DURATION} summary")?;
    for totals in &commands.totals {
        let labels = command_labels(&totals.name);
        writeln!(out, "{DURATION}_sum{{{labels}}} {}", seconds(totals.duration_sum_us))?;
        writeln!(out, "{DURATION}_count{{{labels}}} {}", totals.fine + totals.failed)?;
    }
    for (name, help, read) in COUNTERS {
        writeln!(out, "# HELP {name} {help}\n# TYPE {name} counter")?;
        for totals in &commands.totals {
            writeln!(out, "{name}{{{}}} {}", command_labels(&totals.name), read(totals))?;
        }
    }
    writeln!(out, "# HELP {CONNECTIONS} Connections of the application's pools.\n# TYPE {CONNECTIONS} gauge")?;
    for pool in &commands.pools {
        for (state, count) in [("used", pool.in_use), ("idle", pool.size.saturating_sub(pool.in_use))] {
            writeln!(out, "{CONNECTIONS}{{{},db_client_connection_state=\"{state}\"}} {count}", pool_label(pool))?;
        }
    }
    for (name, help, read) in GAUGES {
        writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge")?;
        for pool in &commands.pools {
            writeln!(out, "{name}{{{}}} {}", pool_label(pool), read(pool))?;
        }
    }
    Ok(())
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
