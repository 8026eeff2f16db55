//! What the application asked of its database: OpenTelemetry's `db.client.operation.duration`, as sums alone, and its `db.client.connection.*`.

use std::fmt::{self, Write};

use watchboard_wire::{CommandName, CommandTotals, CommandsSnapshot, Pool};

use super::{escaped, seconds};

const DURATION: &str = "db_client_operation_duration_seconds";
const CONNECTIONS: &str = "db_client_connection_count";

type Read<T> = fn(&T) -> u64;

const COUNTERS: [(&str, &str, Read<CommandTotals>); 3] = [
    ("watchboard_database_commands_total", "Commands that were sent.", |totals| totals.sent),
    ("watchboard_database_commands_failed_total", "Commands that failed.", |totals| totals.failed),
    ("watchboard_database_commands_cancelled_total", "Commands given up by their senders.", |totals| totals.cancelled),
];
const GAUGES: [(&str, &str, Read<Pool>); 2] = [
    ("db_client_connection_max", "As many connections as there may be.", |pool| pool.max),
    ("db_client_connection_pending_requests", "Those who wait for a connection.", |pool| pool.waiting),
];

pub(super) fn write_all(out: &mut String, asked: &CommandsSnapshot) -> fmt::Result {
    writeln!(out, "# HELP {DURATION} Time from sending a command to its answer.\n# TYPE {DURATION} summary")?;
    for totals in &asked.totals {
        let labels = command(&totals.name);
        writeln!(out, "{DURATION}_sum{{{labels}}} {}", seconds(totals.duration_sum_us))?;
        writeln!(out, "{DURATION}_count{{{labels}}} {}", totals.fine + totals.failed)?;
    }
    for (name, help, read) in COUNTERS {
        writeln!(out, "# HELP {name} {help}\n# TYPE {name} counter")?;
        for totals in &asked.totals {
            writeln!(out, "{name}{{{}}} {}", command(&totals.name), read(totals))?;
        }
    }
    writeln!(out, "# HELP {CONNECTIONS} Connections of the application's pools.\n# TYPE {CONNECTIONS} gauge")?;
    for one in &asked.pools {
        for (state, count) in [("used", one.in_use), ("idle", one.size.saturating_sub(one.in_use))] {
            writeln!(out, "{CONNECTIONS}{{{},db_client_connection_state=\"{state}\"}} {count}", pool(one))?;
        }
    }
    for (name, help, read) in GAUGES {
        writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge")?;
        for one in &asked.pools {
            writeln!(out, "{name}{{{}}} {}", pool(one), read(one))?;
        }
    }
    Ok(())
}

fn pool(pool: &Pool) -> String {
    format!("db_client_connection_pool_name=\"{}\"", escaped(&pool.address))
}

fn command(CommandName { command, database, collection }: &CommandName) -> String {
    let [command, database, collection] = [command, database, collection].map(|name| escaped(name));
    format!(
        "db_system_name=\"mongodb\",db_operation_name=\"{command}\",db_namespace=\"{database}\",db_collection_name=\"{collection}\""
    )
}
