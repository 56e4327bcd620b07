//! One worker: a thread with its own runtime, users, plugin instances, connections and recorder. Nothing is shared with
//! the other workers while the run lasts; once a second the worker hands over what it recorded.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use stampede_time::Nanos;

use super::context::{Crew, prepare};
use super::deadline_sweep;
use super::health::Health;
use super::setup::{Message, Setup};
use super::worker_users::Cast;
use crate::metrics::interval::Interval;
use crate::user::Shared;

/// Runs a worker to its end; the body of its thread.
pub fn run(setup: Setup) {
    let messages = setup.messages.clone();
    let worked = prepare(&setup.plan).and_then(|crew| {
        let _ = messages.send(Message::Ready);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build_local(Default::default());
        let runtime = runtime.map_err(|error| error.to_string())?;
        let result = runtime.block_on(work(setup, crew));
        runtime.shutdown_background();
        result
    });
    if let Err(reason) = worked {
        let _ = messages.send(Message::Failed(reason));
    }
}

/// The worker's life, from the moment the clock starts until the last user is gone.
///
/// # Errors
/// The operating system has no more timers.
pub async fn work(mut setup: Setup, crew: Rc<Crew>) -> Result<(), String> {
    let Ok(clock) = (&mut setup.clock).await else { return Ok(()) };
    let cast = Cast::new(&setup, clock, crew).map_err(|error| format!("no timer is to be had: {error}"))?;
    cast.begin();
    let Setup { index, common, messages, spares, .. } = setup;
    let (shared, crew) = (Rc::clone(&cast.shared), Rc::clone(&cast.crew));
    let health = Health::start(clock.now());
    let mut hand_over = HandOver { index, crew, shared, messages, spares, health, second: 0 };
    let mut tick = tokio::time::interval(Duration::from_nanos(deadline_sweep::PERIOD));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut timers = pin!(cast.shared.timers.run(clock));
    let mut heard = 0;
    while cast.lives.left.get() > 0 {
        tokio::select! {
            never = &mut timers => match never {},
            _ = tick.tick() => {}
            () = cast.lives.last.notified() => {}
        }
        let now = clock.now();
        hand_over.health.looked(now);
        cast.watch.look(&cast.shared, now, common.phase.get());
        let news = common.scales.news();
        if std::mem::replace(&mut heard, news) != news {
            cast.watch.wake_all();
        }
        if now / SECOND > u64::from(hand_over.second) {
            hand_over.interval((now / SECOND) as u32);
        }
    }
    cast.end();
    hand_over.interval((clock.now() / SECOND) as u32 + 1);
    let _ = hand_over.messages.send(cast.finished());
    Ok(())
}

const SECOND: Nanos = 1_000_000_000;

/// Hands what was recorded to the main thread.
struct HandOver {
    index: usize,
    crew: Rc<Crew>,
    shared: Rc<Shared>,
    messages: tokio::sync::mpsc::UnboundedSender<Message>,
    spares: std::sync::mpsc::Receiver<Box<Interval>>,
    health: Health,
    second: u32,
}

impl HandOver {
    /// Everything recorded so far, as the record of the seconds that end before `second`.
    fn interval(&mut self, second: u32) {
        let mut recorder = self.shared.recorder.borrow_mut();
        recorder.set_users_active(self.crew.active.get());
        let mut interval = recorder.take(self.spares.try_recv().ok());
        interval.health = self.health.take(self.shared.clock.now(), &self.crew.plugins);
        let _ = self.messages.send(Message::Interval { worker: self.index, second: self.second, interval });
        self.second = second;
    }
}

#[cfg(test)]
mod tests;
