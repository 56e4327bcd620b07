//! `demo`: the embedded site, alone or with a run against it.

use std::sync::Arc;

use stampede_site::{SAMPLE_SCRIPT, Site};

use super::{run, source};
use crate::cli::DemoArgs;
use crate::command::output::print;
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText, io_reason};
use crate::exit::Exit;
use crate::run::signals::Signals;
use crate::stderr;

/// Starts the site and runs the sample script, or the one that was named, against it; with `--serve` it only serves.
///
/// # Errors
/// The address cannot be listened on, or the script or a flag has an error.
pub(super) fn demo(args: &DemoArgs) -> Result<Exit, Diagnostics> {
    let address = args.address();
    let site = Site::spawn(address, 1).map_err(|error| {
        let help = match args.addr {
            Some(_) => {
                "name another address with `--addr`, for example `--addr 127.0.0.1:0` for a free port".to_owned()
            }
            None => {
                format!("name another address with `--addr`, for example `--addr 127.0.0.1:{}`", address.port() + 1)
            }
        };
        Diagnostic::new("usage::addr", format!("cannot listen on {address}: {}", io_reason(&error))).help(help)
    })?;
    let base = site.base_url();
    if args.serve {
        return serve(&format!("serving the sample site on {base} until interrupted; counts: {base}/stats"));
    }
    stderr::print_line(format_args!("running against the sample site on {base}"));
    let mut run = args.run.clone();
    run.base_url.get_or_insert(base);
    if let Some(url) = run.url() {
        let message = format!("`demo` runs against its own site, not against `{}`", source::shown_url(url));
        return Err(Diagnostic::new("usage::script", message).help("leave `demo` out").into());
    }
    let source = match run.script_or_url() {
        Some(_) => source::of_run(&run)?,
        None => Arc::new(SourceText { name: "sample.yml".into(), text: SAMPLE_SCRIPT.into() }),
    };
    // Each connection has both its ends in this process.
    run::run_source(&run, &source, 2)
}

/// Waits for a signal. Prints `ready` once a signal would be noticed.
fn serve(ready: &str) -> Result<Exit, Diagnostics> {
    let failed = |error: std::io::Error| Diagnostic::new("internal::signals", error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let wait = async {
        let mut signals = Signals::listen()?;
        let _ = print(format!("{ready}\n").as_bytes());
        signals.next().await;
        Ok(())
    };
    runtime.block_on(wait).map_err(failed)?;
    Ok(Exit::Interrupted)
}
