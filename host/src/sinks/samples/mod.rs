//! `--samples`: each recorded sample, or a share of them, as a line of a file. Seconds have no samples, so the workers
//! hand them over themselves, through [taps](crate::metrics::sample_tap); here is the end of their queue, on a thread
//! of its own.

mod file;
mod lines;

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::run_info::RunInfo;
use super::sink::Sink;
use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::metrics::aggregate::RowInfo;
use crate::metrics::sample_tap::{SampleCounts, SampleMessage, SampleShare, SampleTaps};
use crate::plan::Plan;
use crate::report::Report;
use crate::run::observer::SecondSnapshot;
use crate::stderr;
use file::SampleFile;
use lines::{RowNames, header, push_line};

/// The buffers of all workers that may wait for the writer.
const QUEUE_BUFFERS: usize = 32;

/// The sink: the file and the queue before the run, the thread that writes during it.
struct SampleSink {
    /// Taken when the run begins.
    waiting: Option<(SampleFile, Receiver<SampleMessage>)>,
    queue: SyncSender<SampleMessage>,
    counts: Arc<SampleCounts>,
    thread: Option<JoinHandle<Result<(), Diagnostic>>>,
}

/// Opens the sink if `--samples` was given, and lets the plan's workers take samples.
///
/// # Errors
/// The file cannot be written.
pub(super) fn open(args: &RunArgs, plan: &Plan) -> Result<Vec<Box<dyn Sink>>, Diagnostics> {
    let Some(path) = args.samples.samples.as_deref() else { return Ok(Vec::new()) };
    let share = args.samples.sample_share.and_then(SampleShare::of_part).unwrap_or(SampleShare::WHOLE);
    let sink = SampleSink::open(path)?;
    let taps = SampleTaps { share, queue: sink.queue.clone(), counts: Arc::clone(&sink.counts) };
    // A plan is run once.
    let _ = plan.runtime.sample_taps.set(taps);
    Ok(vec![Box::new(sink)])
}

impl SampleSink {
    fn open(path: &Path) -> Result<Self, Diagnostic> {
        let (queue, messages) = sync_channel(QUEUE_BUFFERS);
        let waiting = Some((SampleFile::open(path)?, messages));
        Ok(Self { waiting, queue, counts: Arc::default(), thread: None })
    }
}

impl Sink for SampleSink {
    fn begin(&mut self, run: &RunInfo) {
        let Some((file, messages)) = self.waiting.take() else { return };
        let format = file.format;
        let names = |row: &RowInfo| RowNames::new(row.scenario.as_deref(), &row.name, format);
        let rows: Vec<RowNames> = run.rows.iter().map(names).collect();
        let writer = std::thread::Builder::new().name("samples".into());
        match writer.spawn(move || write(file, &messages, &rows)) {
            Ok(thread) => self.thread = Some(thread),
            Err(error) => stderr::print_line(format_args!("warning: no samples are written: {error}")),
        }
    }

    fn second(&mut self, _: &SecondSnapshot) {}

    fn reads_counts(&self) -> bool {
        false
    }

    fn finish(&mut self, _: &Report) -> Result<(), Diagnostic> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        // The writer takes everything before it, so there will be room.
        let _ = self.queue.send(SampleMessage::End);
        let lost = self.counts.lost();
        if lost > 0 {
            let taken = self.counts.taken();
            stderr::print_line(format_args!(
                "warning: the file of `--samples` was written too slowly: {lost} of {taken} samples are not in it"
            ));
        }
        thread.join().unwrap_or_else(|_| Err(Diagnostic::new("internal::sink", "the writer of samples panicked")))
    }
}

/// Writes samples until the end; the body of the writer's thread. After an error it goes on taking them, so that the
/// end comes through.
fn write(mut file: SampleFile, messages: &Receiver<SampleMessage>, rows: &[RowNames]) -> Result<(), Diagnostic> {
    let format = file.format;
    file.text.push_str(&header(format));
    let mut result = file.begin();
    while let Ok(SampleMessage::Batch(batch)) = messages.recv() {
        if result.is_ok() {
            for taken in &batch.samples {
                push_line(&mut file.text, format, taken, batch.start, &rows[usize::from(taken.sample.row)]);
            }
            result = file.write_blocks();
        }
        batch.recycle();
    }
    result.and_then(|()| file.write_all()).map_err(|error| file.cannot_write(&error))
}
