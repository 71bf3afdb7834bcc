//! Tables as commands print them.

use comfy_table::{Cell, CellAlignment, Table, presets};

/// A table with a header and lines between.
pub fn grid<const COLUMNS: usize>(header: [&str; COLUMNS]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(header);
    table
}

/// A cell whose text ends at the right.
pub fn right(text: impl ToString) -> Cell {
    Cell::new(text.to_string()).set_alignment(CellAlignment::Right)
}
