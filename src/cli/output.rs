//! Prints results to stdout as tables or JSON, and failures to stderr.

use super::args::Format;
use crate::error::Failure;
use serde::Serialize;

pub struct Output {
    format: Format,
}

impl Output {
    pub fn new(format: Format) -> Self {
        Self { format }
    }

    /// Prints `value` as JSON, or what `table` makes of it.
    pub fn show<T: Serialize>(&self, value: &T, table: impl FnOnce(&T) -> String) {
        match self.format {
            Format::Json => {
                let json = serde_json::to_string_pretty(value)
                    .expect("results hold only strings, numbers and lists");
                println!("{json}");
            }
            Format::Table => println!("{}", table(value)),
        }
    }

    pub fn failure(&self, failure: &Failure) {
        match self.format {
            Format::Json => {
                let json = serde_json::json!({
                    "schema": "ukehi/error/v1",
                    "exit_code": failure.code as u8,
                    "error": failure.what,
                    "next": failure.next,
                });
                eprintln!("{json}");
            }
            Format::Table => eprintln!("error: {failure}"),
        }
    }
}

/// A table with a header row.
pub fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(header.to_vec());
    for row in rows {
        table.add_row(row);
    }
    table.to_string()
}
