//! Schemas from the server itself, through its reflection service, during the run. All users and steps of the instance
//! share the schema that one user has received.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use prost::Message;
use prost_reflect::DescriptorPool;
use prost_reflect::prost_types::FileDescriptorProto;
use protox::file::{FileResolver, GoogleFileResolver};
use stampede_plugin::http::{Request, Stream};
use stampede_plugin::{ConfigError, Failure, Outcome, Task};

use crate::frames::{Frames, framed};
use crate::method::Method;
use crate::outgoing::Drafts;
use crate::params::Params;
use crate::schema;
use crate::status::{self, Code, Status};

/// The current service and the older one, whose messages are equal.
const SERVICES: [&str; 2] = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];

/// The pause of a user that waits for another's answer.
const PAUSE: Duration = Duration::from_millis(5);

/// A method that a step must learn from the server before its first call.
pub(crate) struct ServerMethod {
    server: Rc<Server>,
    service: String,
    method: String,
    drafts: Drafts,
    /// The calls of both services.
    requests: [Request; 2],
    max_message: usize,
    known: OnceCell<Method>,
}

/// The schema of a server, as far as it is known.
#[derive(Default)]
struct Server {
    /// The URL as typed in the steps, templates included.
    url: String,
    pool: RefCell<DescriptorPool>,
    /// The number of users who are asking.
    asking: Cell<usize>,
    /// The number of questions that have ended, with success or not.
    done: Cell<usize>,
}

thread_local! {
    /// The servers of all steps.
    static SERVERS: RefCell<Vec<Rc<Server>>> = const { RefCell::new(Vec::new()) };
}

impl ServerMethod {
    /// Prepares the questions; nothing is sent yet.
    pub(crate) fn new(params: &Params, drafts: Drafts) -> Result<Self, ConfigError> {
        let (service, _) = schema::parts(&params.method)?;
        let request = |service: &str| crate::request(params, &format!("{service}/ServerReflectionInfo"), None);
        Ok(Self {
            server: Server::at(&params.url),
            service: service.to_owned(),
            method: params.method.clone(),
            drafts,
            requests: [request(SERVICES[0])?, request(SERVICES[1])?],
            max_message: params.max_message,
            known: OnceCell::new(),
        })
    }

    /// Returns the method. The first user asks for it, and users who need it meanwhile wait for the answer; if there is
    /// none, they ask themselves.
    pub(crate) async fn method(&self, task: &Task) -> Result<&Method, Failure> {
        if let Some(known) = self.known.get() {
            return Ok(known);
        }
        let (server, done) = (&*self.server, self.server.done.get());
        while !server.knows(&self.service) && server.asking.get() > 0 && server.done.get() == done {
            task.sleep(PAUSE).await;
        }
        if !server.knows(&self.service) {
            self.ask(task).await?;
        }
        let found = schema::find(&server.pool.borrow(), &self.method);
        let method = found.and_then(|found| Method::new(&found, &self.drafts));
        let method = method.map_err(|error| Failure::check(error.message))?;
        Ok(self.known.get_or_init(|| method))
    }

    async fn ask(&self, task: &Task) -> Outcome {
        let _asking = AskingGuard::new(&self.server);
        let [newer, older] = &self.requests;
        let mut answer = self.files(newer, task).await?;
        if matches!(&answer, Err(status) if status.code == Code::UNIMPLEMENTED) {
            answer = self.files(older, task).await?;
        }
        let files = answer.map_err(|status| match status.code {
            Code::UNIMPLEMENTED => Failure::status(format!("expected server reflection, got {status}")),
            _ => Failure::status(format!("expected the schema of `{}`, got {status}", self.service)),
        })?;
        files.iter().try_for_each(schema::check_syntax).map_err(|error| Failure::check(error.message))?;
        let learned = self.server.learn(files);
        learned.map_err(|error| Failure::protocol(format!("the server's schema is malformed: {error}")))
    }

    /// Returns the files with the service and all their imports, or the status with which the server ends the call
    /// instead.
    async fn files(&self, request: &Request, task: &Task) -> Result<Result<Vec<FileDescriptorProto>, Status>, Failure> {
        let stream = request.open_for_writing(task, &ReflectionRequest::symbol(&self.service));
        status::accept(&stream).await?;
        let mut frames = Frames::new(self.max_message);
        frames.set_coding(stream.header("grpc-encoding"));
        let (mut call, mut files) = (ReflectionCall { stream, frames }, Vec::new());
        let mut asked = None;
        loop {
            match call.answer().await? {
                None => return Status::of(&call.stream).map(Err),
                Some(ReflectionResponse { error: Some(error), .. }) => return Ok(Err(error.into())),
                Some(answer) => files.extend(answer.files()?),
            }
            let missing = self.server.missing(&mut files);
            if missing.is_some() && missing == asked {
                let name = missing.unwrap_or_default();
                return Err(Failure::protocol(format!("the server was asked for the file `{name}` and sent others")));
            }
            match &missing {
                Some(name) => call.stream.write(&ReflectionRequest::file(name)).await?,
                None => break,
            }
            asked = missing;
        }
        call.stream.finish();
        // Further answers are ignored, but the call must end.
        while call.answer().await?.is_some() {}
        Ok(Ok(files))
    }
}

impl Server {
    /// Returns the server that steps with this URL share.
    fn at(url: &str) -> Rc<Self> {
        SERVERS.with_borrow_mut(|servers| {
            let known = servers.iter().find(|server| server.url == url).cloned();
            known.unwrap_or_else(|| {
                let new = Rc::new(Self { url: url.to_owned(), ..Self::default() });
                servers.push(Rc::clone(&new));
                new
            })
        })
    }

    fn knows(&self, service: &str) -> bool {
        self.pool.borrow().get_service_by_name(service).is_some()
    }

    /// Returns the first imported file that is missing. Files that come with protobuf are added to `files`.
    fn missing(&self, files: &mut Vec<FileDescriptorProto>) -> Option<String> {
        let (pool, well_known) = (self.pool.borrow(), GoogleFileResolver::new());
        loop {
            let has =
                |name: &str| files.iter().any(|file| file.name() == name) || pool.get_file_by_name(name).is_some();
            let name = files.iter().flat_map(|file| &file.dependency).find(|name| !has(name))?.clone();
            match well_known.open_file(&name) {
                Ok(file) => files.push(file.file_descriptor_proto().clone()),
                Err(_) => return Some(name),
            }
        }
    }

    /// Adds files to the schema; another user may have added some of them already.
    fn learn(&self, mut files: Vec<FileDescriptorProto>) -> Result<(), String> {
        let mut pool = self.pool.borrow_mut();
        files.retain(|file| pool.get_file_by_name(file.name()).is_none());
        pool.add_file_descriptor_protos(files).map_err(|error| error.to_string())
    }
}

/// Counts a user as asking, until it is done or its task is over.
struct AskingGuard<'a>(&'a Server);

impl<'a> AskingGuard<'a> {
    fn new(server: &'a Server) -> Self {
        server.asking.set(server.asking.get() + 1);
        Self(server)
    }
}

impl Drop for AskingGuard<'_> {
    fn drop(&mut self) {
        self.0.asking.set(self.0.asking.get() - 1);
        self.0.done.set(self.0.done.get().wrapping_add(1));
    }
}

/// A call of the reflection service.
struct ReflectionCall<'t> {
    stream: Stream<'t>,
    frames: Frames,
}

impl ReflectionCall<'_> {
    /// Returns the next answer; `None` if the server has ended the call.
    async fn answer(&mut self) -> Result<Option<ReflectionResponse>, Failure> {
        loop {
            if let Some(message) = self.frames.next()? {
                return ReflectionResponse::decode(&*message.message()?)
                    .map(Some)
                    .map_err(|_| Failure::protocol("an answer of the server's reflection is malformed"));
            }
            let piece = self.stream.read().await?;
            if piece.is_empty() {
                return if self.frames.is_cut() { Err(Frames::cut()) } else { Ok(None) };
            }
            self.frames.push(&piece);
        }
    }
}

/// `ServerReflectionRequest`, with the fields needed here.
#[derive(Clone, PartialEq, Message)]
struct ReflectionRequest {
    #[prost(string, optional, tag = "3")]
    file_by_filename: Option<String>,
    #[prost(string, optional, tag = "4")]
    file_containing_symbol: Option<String>,
}

impl ReflectionRequest {
    fn symbol(name: &str) -> Vec<u8> {
        framed(&Self { file_containing_symbol: Some(name.to_owned()), ..Self::default() }.encode_to_vec())
    }

    fn file(name: &str) -> Vec<u8> {
        framed(&Self { file_by_filename: Some(name.to_owned()), ..Self::default() }.encode_to_vec())
    }
}

/// `ServerReflectionResponse`, with the fields needed here.
#[derive(Clone, PartialEq, Message)]
struct ReflectionResponse {
    #[prost(message, optional, tag = "4")]
    descriptors: Option<Descriptors>,
    #[prost(message, optional, tag = "7")]
    error: Option<ErrorResponse>,
}

impl ReflectionResponse {
    fn files(self) -> Result<Vec<FileDescriptorProto>, Failure> {
        let files = self.descriptors.unwrap_or_default().files;
        let decoded: Result<_, _> = files.iter().map(|file| FileDescriptorProto::decode(file.as_slice())).collect();
        decoded.map_err(|error| Failure::protocol(format!("the server's schema is malformed: {error}")))
    }
}

/// `FileDescriptorResponse`: files, encoded.
#[derive(Clone, PartialEq, Message)]
struct Descriptors {
    #[prost(bytes = "vec", repeated, tag = "1")]
    files: Vec<Vec<u8>>,
}

/// `ErrorResponse`, which the server sends in place of files.
#[derive(Clone, PartialEq, Message)]
struct ErrorResponse {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

impl From<ErrorResponse> for Status {
    fn from(ErrorResponse { code, message }: ErrorResponse) -> Self {
        Self { code: Code(code.unsigned_abs()), message }
    }
}
