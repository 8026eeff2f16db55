//! The table of the application's commands, by their sums.

use watchboard_wire::{AppCommands, CommandRow};

use super::CHECK_OUT;

/// Commands in the table.
const MAX_COMMANDS: usize = 50;

/// The commands that took the most time, with their names, and the waits for a connection.
pub(crate) fn command_table(
    (whole, rows): (CommandRow, Vec<(u16, CommandRow)>),
    named: impl Fn(u16, CommandRow) -> CommandRow,
) -> AppCommands {
    let (waits, mut rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(number, _)| *number == CHECK_OUT);
    let kinds = rows.len() as u32;
    rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.duration_sum_us));
    rows.truncate(MAX_COMMANDS);
    AppCommands {
        rows: rows.into_iter().map(|(number, row)| named(number, row)).collect(),
        kinds,
        whole,
        waits: waits.into_iter().next().map(|(_, row)| row).unwrap_or_default(),
        ..AppCommands::default()
    }
}
