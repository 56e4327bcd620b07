//! The connection of a run's processes to NATS: messages, and the buckets and streams of the fleet.
//!
//! Everything that is secret about it comes from files. What is published is neither waited for nor kept while the
//! connection is lost for long: the protocol sends again what was not acknowledged. Records are read by single direct
//! gets; there are no watchers, whose consumers a server would keep.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::object_store::ObjectStore;
use async_nats::jetstream::stream::{Config as StreamConfig, DirectGetErrorKind, DiscardPolicy, StorageType, Stream};
use async_nats::jetstream::{self, Context, ContextBuilder, kv, object_store};
use async_nats::{Client, ConnectOptions, Event, Subscriber};
use stampede_fleet::{
    FIN_STREAM, FIN_SUBJECTS, LEASE_BUCKET, LEASE_LAPSE, MAX_PLAN, OBJECT_STORE, PLAN_BUCKET, PlanObject, RunId,
    Subjects,
};
use tokio::io::AsyncReadExt;
use tokio::sync::{OnceCell, mpsc};
use url::{Host, Url};

use super::server_version::check_version;
use crate::cli::BusArgs;
use crate::diagnostic::{Diagnostic, io_reason};

/// The address if none is given.
const DEFAULT: &str = "nats://127.0.0.1:4222";

/// The longest wait for an answer of the server.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_millis(1_900);

/// The messages that wait to be sent while the connection is lost; what comes then is left out, and sent again later.
const MAX_WAITING: usize = 4_096;

/// The longest time that final counts and objects are kept.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);

/// A connection, for one run.
#[derive(Clone)]
pub(crate) struct Bus {
    pub(super) client: Client,
    pub(super) context: Context,
    /// The names of the run.
    pub(crate) subjects: Subjects,
    outgoing: mpsc::Sender<Outgoing>,
    stores: Arc<Stores>,
}

/// The buckets, each looked up when it is first used: nodes may be there before the coordinator has made them.
#[derive(Default)]
struct Stores {
    plans: OnceCell<kv::Store>,
    leases: OnceCell<kv::Store>,
    objects: OnceCell<ObjectStore>,
    finals: OnceCell<Stream>,
}

/// A message on its way out.
struct Outgoing {
    subject: String,
    payload: Vec<u8>,
}

impl Bus {
    /// Connects. `reconnected` is called whenever a connection that was lost is back. Must be called on a runtime.
    ///
    /// # Errors
    /// The address is not one, a file cannot be read, no server answers, or it is too old.
    pub(crate) async fn connect(
        args: &BusArgs,
        run: RunId,
        reconnected: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, Diagnostic> {
        let address = address(args)?;
        let was_connected = AtomicBool::new(false);
        let reconnected = Arc::new(reconnected);
        let options = credentials(args).await?.name("stampede-shooter").request_timeout(Some(ANSWER_TIMEOUT));
        let options = options
            .connection_timeout(Duration::from_secs(5))
            .reconnect_delay_callback(|attempts| {
                let longest = 100_u64.saturating_mul(1 << attempts.min(6)).min(5_000);
                Duration::from_millis(rand::random_range(longest / 2..=longest))
            })
            .event_callback(move |event| {
                if matches!(event, Event::Connected) && was_connected.swap(true, Ordering::Relaxed) {
                    reconnected();
                }
                if !matches!(event, Event::Connected) {
                    tracing::info!("nats: {event}");
                }
                std::future::ready(())
            });
        let failed = |error: async_nats::ConnectError| {
            Diagnostic::new("fleet::connection", format!("cannot connect to NATS at `{}`: {error}", shown(&address)))
                .help("name a running server with `--nats`, and its credentials with `--nats-creds` or `--nats-login`")
        };
        let client = options.connect(address.as_str()).await.map_err(failed)?;
        let info = client.server_info();
        check_version(&info.version, is_loopback(&address))?;
        if !info.jetstream {
            let message = format!("the NATS server at `{}` has no JetStream", shown(&address));
            return Err(Diagnostic::new("fleet::connection", message).help("start it with `-js`"));
        }
        let context = ContextBuilder::new().timeout(ANSWER_TIMEOUT).ack_timeout(ANSWER_TIMEOUT).build(client.clone());
        let (outgoing, messages) = mpsc::channel(MAX_WAITING);
        tokio::spawn(send_all(client.clone(), messages));
        Ok(Self { client, context, subjects: Subjects::new(run), outgoing, stores: Arc::default() })
    }

    /// Creates the buckets and the stream that are not there yet.
    ///
    /// # Errors
    /// The server does not allow it.
    pub(crate) async fn create_stores(&self) -> Result<(), Diagnostic> {
        let plans = StreamConfig { max_age: KEPT, max_message_size: MAX_PLAN as i32, ..bucket(PLAN_BUCKET) };
        self.context.create_stream(plans).await.map_err(|error| self.refused(PLAN_BUCKET, &error))?;
        self.create_leases().await?;
        let objects = object_store::Config { bucket: OBJECT_STORE.into(), max_age: KEPT, ..Default::default() };
        self.context.create_object_store(objects).await.map_err(|error| self.refused(OBJECT_STORE, &error))?;
        let finals = StreamConfig {
            name: FIN_STREAM.into(),
            subjects: vec![FIN_SUBJECTS.into()],
            max_age: KEPT,
            allow_direct: true,
            ..StreamConfig::default()
        };
        self.context.create_stream(finals).await.map_err(|error| self.refused(FIN_STREAM, &error))?;
        Ok(())
    }

    /// Creates the bucket of leases, which is in memory: a server that was started again has lost it.
    ///
    /// # Errors
    /// The server does not allow it.
    pub(super) async fn create_leases(&self) -> Result<(), Diagnostic> {
        let max_age = Duration::from_nanos(LEASE_LAPSE);
        let leases = StreamConfig { max_age, storage: StorageType::Memory, ..bucket(LEASE_BUCKET) };
        self.context.create_stream(leases).await.map_err(|error| self.refused(LEASE_BUCKET, &error))?;
        Ok(())
    }

    fn refused(&self, name: &str, error: &dyn std::fmt::Display) -> Diagnostic {
        Diagnostic::new("fleet::connection", format!("the NATS server does not create `{name}`: {error}"))
    }

    /// Publishes a message, without waiting.
    pub(super) fn publish(&self, subject: String, payload: Vec<u8>) {
        // The protocol sends again the messages that do not fit.
        let _ = self.outgoing.try_send(Outgoing { subject, payload });
    }

    /// Subscribes to a subject or a pattern.
    ///
    /// # Errors
    /// The connection is closed.
    pub(super) async fn subscribe(&self, subject: String) -> Result<Subscriber, Diagnostic> {
        self.client
            .subscribe(subject)
            .await
            .map_err(|error| Diagnostic::new("fleet::connection", format!("cannot subscribe: {error}")))
    }

    /// Waits until the server has taken everything that was published, for a moment at most.
    pub(super) async fn flush(&self) {
        for _ in 0..100 {
            if self.outgoing.capacity() == MAX_WAITING {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // A connection that is lost has nothing to flush.
        let _ = tokio::time::timeout(ANSWER_TIMEOUT, self.client.flush()).await;
    }

    pub(super) async fn plans(&self) -> Option<&kv::Store> {
        self.stores.plans.get_or_try_init(|| self.context.get_key_value(PLAN_BUCKET)).await.ok()
    }

    pub(super) async fn leases(&self) -> Option<&kv::Store> {
        self.stores.leases.get_or_try_init(|| self.context.get_key_value(LEASE_BUCKET)).await.ok()
    }

    async fn objects(&self) -> Result<&ObjectStore, String> {
        let store = self.stores.objects.get_or_try_init(|| self.context.get_object_store(OBJECT_STORE)).await;
        store.map_err(|error| error.to_string())
    }

    /// Puts an object, unless it is there.
    ///
    /// # Errors
    /// It was not stored.
    pub(crate) async fn put_object(&self, object: &PlanObject, bytes: &[u8]) -> Result<(), Diagnostic> {
        let failed = |reason: String| {
            Diagnostic::new("fleet::connection", format!("cannot store `{}` on NATS: {reason}", object.name))
        };
        let store = self.objects().await.map_err(failed)?;
        if store.info(&object.sha256).await.is_ok_and(|info| info.size as u64 == object.bytes && !info.deleted) {
            return Ok(());
        }
        let mut reader = bytes;
        store.put(object.sha256.as_str(), &mut reader).await.map_err(|error| failed(error.to_string()))?;
        Ok(())
    }

    /// Gets an object, as far as its length is that of the plan.
    ///
    /// # Errors
    /// It is not there, or damaged; the text says why.
    pub(super) async fn object(&self, object: &PlanObject) -> Result<Vec<u8>, String> {
        let failed = |reason: String| format!("cannot fetch `{}` from NATS: {reason}", object.name);
        let store = self.objects().await.map_err(failed)?;
        let reader = store.get(&object.sha256).await.map_err(|error| failed(error.to_string()))?;
        let mut bytes = Vec::new();
        reader.take(object.bytes + 1).read_to_end(&mut bytes).await.map_err(|error| failed(io_reason(&error)))?;
        Ok(bytes)
    }

    /// Stores a final message. A second copy with the same identifier is left out.
    pub(super) async fn store_final(&self, subject: String, id: String, payload: Vec<u8>) -> bool {
        let publish = PublishMessage::build().payload(payload.into()).message_id(id);
        match self.context.send_publish(subject, publish).await {
            Ok(ack) => ack.await.is_ok(),
            Err(_) => false,
        }
    }

    /// Returns the next final message of the run at or after a place in the stream.
    ///
    /// # Errors
    /// The server did not answer.
    pub(super) async fn final_after(&self, pattern: &str, place: u64) -> Result<Option<FinalMessage>, ()> {
        let stream = self.stores.finals.get_or_try_init(|| self.context.get_stream(FIN_STREAM)).await;
        match stream.map_err(|_| ())?.direct_get_next_for_subject(pattern, Some(place)).await {
            Ok(message) => Ok(Some(FinalMessage {
                place: message.sequence,
                subject: message.subject.to_string(),
                payload: message.payload.to_vec(),
            })),
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
            Err(_) => Err(()),
        }
    }
}

/// Returns the stream of a key-value bucket with one value a key. async-nats would ask the server about the account
/// first, whose answer it cannot read from NATS 2.9.
fn bucket(name: &str) -> StreamConfig {
    StreamConfig {
        name: format!("KV_{name}"),
        subjects: vec![format!("$KV.{name}.>")],
        max_messages_per_subject: 1,
        discard: DiscardPolicy::New,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        num_replicas: 1,
        ..StreamConfig::default()
    }
}

/// A message of the stream of final counts.
pub(super) struct FinalMessage {
    /// Its place in the stream.
    pub(super) place: u64,
    pub(super) subject: String,
    pub(super) payload: Vec<u8>,
}

async fn send_all(client: Client, mut messages: mpsc::Receiver<Outgoing>) {
    while let Some(Outgoing { subject, payload }) = messages.recv().await {
        if let Err(error) = client.publish(subject, payload.into()).await {
            tracing::info!("nats: a message was not sent: {error}");
        }
    }
}

/// Reads the address, which must not have a password in it: arguments can be read by others.
fn address(args: &BusArgs) -> Result<Url, Diagnostic> {
    let wrong = |message: &str, help: &str| Err(Diagnostic::new("usage::nats", message).help(help));
    let text = args.nats.as_deref().unwrap_or(DEFAULT);
    let text = if text.contains("://") { text.to_owned() } else { format!("nats://{text}") };
    match Url::parse(&text) {
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            wrong("`--nats` has a user name or a password in it", "write them into a file for `--nats-login`")
        }
        Ok(url) if ["nats", "tls"].contains(&url.scheme()) && url.has_host() => Ok(url),
        _ => wrong("`--nats` is not the address of a NATS server", "for example `--nats nats://broker:4222`"),
    }
}

/// Returns the address as messages show it.
fn shown(address: &Url) -> &str {
    address.as_str().trim_end_matches('/')
}

/// Returns `true` if an address is on this machine.
fn is_loopback(address: &Url) -> bool {
    let by_number = |text: &str| text.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match address.host() {
        Some(Host::Domain(name)) => name == "localhost" || by_number(name),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Reads the files that the arguments name.
async fn credentials(args: &BusArgs) -> Result<ConnectOptions, Diagnostic> {
    let unreadable = |flag: &str, file: &Path, reason: &str| {
        Diagnostic::new("usage::nats", format!("`{flag} {}`: {reason}", file.display()))
    };
    let mut options = ConnectOptions::new();
    if let Some(file) = &args.nats_creds {
        let read = options.credentials_file(file).await;
        options = read.map_err(|error| unreadable("--nats-creds", file, &io_reason(&error)))?;
    }
    if let Some(file) = &args.nats_login {
        let text = std::fs::read_to_string(file);
        let text = text.map_err(|error| unreadable("--nats-login", file, &io_reason(&error)))?;
        let mut lines = text.lines();
        let (Some(user), Some(password)) = (lines.next(), lines.next()) else {
            return Err(unreadable("--nats-login", file, "it does not have a user name and a password, a line each"));
        };
        options = options.user_and_password(user.trim().into(), password.trim().into());
    }
    for (flag, file) in [("--nats-ca", &args.nats_ca), ("--nats-cert", &args.nats_cert), ("--nats-key", &args.nats_key)]
    {
        if let Some(file) = file {
            std::fs::metadata(file).map_err(|error| unreadable(flag, file, &io_reason(&error)))?;
        }
    }
    if let Some(file) = &args.nats_ca {
        options = options.add_root_certificates(file.clone()).require_tls(true);
    }
    if let (Some(certificate), Some(key)) = (&args.nats_cert, &args.nats_key) {
        options = options.add_client_certificate(certificate.clone(), key.clone()).require_tls(true);
    }
    Ok(options)
}

/// Returns `true` if a record is a value, and not the mark of a deleted one.
pub(super) fn is_value(entry: &kv::Entry) -> bool {
    matches!(entry.operation, jetstream::kv::Operation::Put)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(nats: &str) -> BusArgs {
        BusArgs { nats: Some(nats.into()), ..BusArgs::default() }
    }

    #[test]
    fn an_address_has_no_password_in_it_and_none_is_shown() {
        let error = address(&args("nats://me:hunter2@broker:4222")).unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"));
        assert!(address(&args("http://broker")).is_err() && address(&args("nats://")).is_err());
        assert_eq!(address(&args("broker:4222")).map(|url| shown(&url).to_owned()), Ok("nats://broker:4222".into()));
    }

    #[test]
    fn addresses_on_this_machine_are_known() {
        for (text, expected) in [
            ("nats://localhost:4222", true),
            ("nats://127.0.0.1:4222", true),
            ("nats://[::1]:4222", true),
            ("tls://broker.example:4222", false),
            ("nats://192.0.2.1:4222", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(text).unwrap()), expected, "{text}");
        }
    }
}
