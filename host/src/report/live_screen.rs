//! A block of lines on standard error that is drawn again in place. It changes no mode of the terminal and does not
//! hide the cursor, so there is nothing to restore when the process is stopped, killed or panics.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::live_table::TerminalSize;
use crate::stderr;

/// The size where the terminal does not tell its own.
const USUAL_SIZE: TerminalSize = TerminalSize { columns: 80, lines: 24 };

/// The lines that stand on the screen, above the cursor.
#[derive(Debug, Default)]
pub(crate) struct LiveScreen {
    /// The widths of the lines that were drawn last, in columns.
    drawn: Vec<usize>,
}

impl LiveScreen {
    /// Draws lines, none of which is wider than the terminal, in place of those that were drawn last. Each is written
    /// over the old one: some terminals keep what is erased from their first line on, and scroll it out of sight.
    pub(crate) fn draw(&mut self, lines: &[String], size: TerminalSize) {
        let mut text = upwards(self.rows(size));
        for line in lines {
            let _ = writeln!(text, "{line}\u{1b}[K");
        }
        text.push_str("\u{1b}[J");
        stderr::print(&text);
        self.drawn = lines.iter().map(|line| line.width()).collect();
    }

    /// Removes the lines, so that what comes next stands in their place.
    pub(crate) fn clear(&mut self, size: TerminalSize) {
        let rows = self.rows(size);
        self.drawn.clear();
        stderr::print(&format!("{up}{}{up}", "\u{1b}[2K\n".repeat(rows), up = upwards(rows)));
    }

    /// Leaves the lines where they are: other output may have come below them.
    pub(crate) fn leave(&mut self) {
        self.drawn.clear();
    }

    /// Returns the rows of the screen that the lines take. In a terminal that has become narrower since they were
    /// drawn, a line takes several; what has left the screen at its top cannot be reached.
    fn rows(&self, size: TerminalSize) -> usize {
        let rows = |width: &usize| width.div_ceil(size.columns.max(1)).max(1);
        self.drawn.iter().map(rows).sum::<usize>().min(size.lines.saturating_sub(1))
    }
}

/// Returns the escape sequence that moves the cursor up, to the beginning of a row.
fn upwards(rows: usize) -> String {
    if rows == 0 { String::new() } else { format!("\r\u{1b}[{rows}A") }
}

/// Returns the size of the terminal on standard error.
#[cfg(unix)]
pub(crate) fn terminal_size() -> TerminalSize {
    let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok().filter(|size| size.ws_col > 0 && size.ws_row > 0);
    size.map_or(USUAL_SIZE, |size| TerminalSize { columns: size.ws_col.into(), lines: size.ws_row.into() })
}

#[cfg(not(unix))]
pub(crate) const fn terminal_size() -> TerminalSize {
    USUAL_SIZE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_take_as_many_rows_as_the_terminal_needs_for_them() {
        let screen = LiveScreen { drawn: vec![40, 0, 80] };
        for (case, columns, lines, expected) in
            [("as it was", 80, 24, 3), ("narrower: 1 + 1 + 2", 40, 24, 4), ("lower", 80, 3, 2), ("none", 0, 0, 0)]
        {
            assert_eq!(screen.rows(TerminalSize { columns, lines }), expected, "{case}");
        }
        assert_eq!(LiveScreen::default().rows(USUAL_SIZE), 0);
        assert_eq!((upwards(0), upwards(3)), (String::new(), "\r\u{1b}[3A".to_owned()));
    }
}
