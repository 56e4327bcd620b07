//! The flags of the page that shows a run.

use clap::Args;
use clap::builder::BoolishValueParser;

use super::listen_address::{ListenAddress, listen_address};

/// The flags of the page that shows a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Args)]
pub struct PageArgs {
    /// Show the run on a page, live
    ///
    /// The link is printed when the run begins; it has a random token. A port alone is one of 127.0.0.1, `:PORT` is one
    /// of all interfaces, `[::1]:PORT` one of an address; port 0 picks a free one, as it does if the flag has no value.
    /// The page ends with the run, unless --linger is given; `--out report.html` keeps it.
    #[arg(
        long,
        value_name = "ADDR",
        env = "STAMPEDE_PAGE",
        help_heading = "Report",
        num_args = 0..=1,
        default_missing_value = "0",
        value_parser = listen_address
    )]
    pub page: Option<ListenAddress>,
    /// Let the page change the load, pause the run and stop it
    ///
    /// For --page. Anyone with the link can then do so.
    #[arg(
        long,
        env = "STAMPEDE_PAGE_CONTROL",
        help_heading = "Report",
        value_parser = BoolishValueParser::new()
    )]
    pub page_control: bool,
}
