"""A fake load runner, so that an action is tested natively, without building a component: with pytest or unittest.

    import fake_host as host    # before the plugin's own module
    from action import Page

    def test_a_page_with_the_text_passes():
        run = host.run(Page, {"url": "/hello", "text": "hello"}, replies=[host.reply(200, b"hello Ann")])
        assert run.failure is None
        assert run.requests[0].url == "/hello"

Run it in the plugin's folder: `PYTHONPATH=sdk python3 -m pytest`. Time is virtual. Templates are rendered with the
variables of the run alone; other helpers stay as they are. What only the real load runner knows, such as limits, is
tested by `stampede-shooter plugin test`.
"""
import enum
import re
import sys
import types
from dataclasses import dataclass, field

_host = None


def _module(name, **names):
    module = types.ModuleType(name)
    module.__dict__.update(names)
    sys.modules[name] = module
    return module


def _enum(name, *members):
    return enum.Enum(name, members, start=0)


def _record(name, *fields):
    return dataclass(type(name, (), {"__annotations__": dict.fromkeys(fields, object)}))


class Err(Exception):
    """The error of an import, as the bindings raise it."""

    def __init__(self, value):
        super().__init__(value)
        self.value = value


FailureKind = _enum("FailureKind", "TIMEOUT", "STATUS", "NETWORK", "CHECK", "PROTOCOL", "PLUGIN", "CANCELLED")


@dataclass
class Request:
    """A request that the action has sent, rendered."""

    method: str
    url: str
    query: list = field(default_factory=list)
    headers: list = field(default_factory=list)
    body: object = b""


@dataclass
class Run:
    """What a run of the action did."""

    # `None`, or the failure: its kind in lower case, and its detail.
    failure: tuple | None = None
    requests: list = field(default_factory=list)
    # Bytes written to each socket, in the order of the connects.
    written: list = field(default_factory=list)
    # True for each socket that is still open.
    open: list = field(default_factory=list)
    log: list = field(default_factory=list)
    # The row and the URL of each transfer, in the order sent; the row is that in which it was left, if it was.
    transfers: list = field(default_factory=list)
    # Values of metrics by name.
    metrics: dict = field(default_factory=dict)
    variables: dict = field(default_factory=dict)
    # Virtual seconds.
    elapsed: float = 0.0


def reply(status=200, body=b"", headers=(), after=0.0):
    """Returns a reply of the target."""
    return types.SimpleNamespace(status=status, body=body, headers=dict(headers), after=after, failure=None)


def failed(kind="network", after=0.0):
    """Returns the end of a request or a connect that fails in this way."""
    return types.SimpleNamespace(failure=kind.upper(), after=after)


def peer(*answers):
    """Returns the other end of a socket: what each read gets, and then the end. `SECURE` among them waits for TLS."""
    return types.SimpleNamespace(answers=list(answers), failure=None, after=0.0)


# The place in the answers of a peer at which the action begins TLS.
SECURE = object()


class _Host:
    def __init__(self, replies, peers, variables, timeout):
        self.replies, self.peers, self.timeout = list(replies), list(peers), timeout
        self.rows, self.begun, self.ends_after = [], {}, None
        self.run = Run(variables=dict(variables))
        self.templates, self.prepared, self.metrics = [], [], []
        self.now, self.operations, self.waiting, self.sockets, self.drawn = 0.0, [], [], [], 0

    def submit(self, outcome, after=0.0):
        number = len(self.operations)
        self.operations.append(outcome)
        self.waiting.append((self.now + after, number))
        return number

    def outcome(self, number):
        value = self.operations[number]
        if isinstance(value, FailureKind):
            raise Err(value)
        return value

    def render(self, number):
        variable = lambda name: self.run.variables.get(name.group(1), "")
        return re.sub(r"{{var (\w+)}}", variable, self.templates[number])

    def send(self, request):
        self.run.requests.append(request)
        if not self.replies:
            raise AssertionError(f"the test has no reply left for {request.method} {request.url}")
        answer = self.replies.pop(0)
        outcome = FailureKind[answer.failure] if answer.failure else answer
        return self.submit(outcome, answer.after)

    def send_prepared(self, number):
        wanted = self.prepared[number]
        pairs = lambda of: [(name, self.render(text)) for name, text in of]
        body = wanted.body.value if hasattr(wanted.body, "value") else None
        body = b"" if body is None else self.render(body)
        return self.send(Request(wanted.method, self.render(wanted.url), pairs(wanted.query), pairs(wanted.headers), body))

    def begin(self, request, row):
        number = self.send(Request(request.method, request.url, [], list(request.headers), request.body))
        self.begun[number] = len(self.run.transfers)
        self.run.transfers.append((self.rows[row], request.url))
        return number

    def progress(self, number):
        """All of a reply comes at its end."""
        answer, is_under_way = self.operations[number], any(number == other for _, other in self.waiting)
        if is_under_way or isinstance(answer, FailureKind):
            return TransferProgress(None, 0)
        return TransferProgress(int(self.now * 1e9), len(answer.body))

    def leave(self, number, row):
        if any(number == other for _, other in self.waiting):
            self.waiting = [(due, other) for due, other in self.waiting if other != number]
            self.run.transfers[self.begun[number]] = (self.rows[row], self.run.transfers[self.begun[number]][1])

    def ending(self):
        number = self.submit(None, (self.ends_after or 0.0) - self.now)
        if self.ends_after is None:
            self.waiting.pop()
        return number

    def connect(self, _address):
        if not self.peers:
            raise AssertionError("the test has no peer left for a connect")
        other = self.peers.pop(0)
        if other.failure:
            return self.submit(FailureKind[other.failure], other.after)
        self.sockets.append(other)
        self.run.written.append(b"")
        self.run.open.append(True)
        return self.submit(len(self.sockets) - 1)

    def read(self, socket):
        answers = self.sockets[socket].answers
        if answers and answers[0] is SECURE:
            raise AssertionError("the peer waits for TLS, and the action reads")
        return self.submit(answers.pop(0) if answers else b"")

    def secure(self, socket, _options):
        answers = self.sockets[socket].answers
        if answers and answers[0] is SECURE:
            answers.pop(0)
            return self.submit(None)
        self.run.open[socket] = False
        return self.submit(FailureKind.PROTOCOL if answers else FailureKind.NETWORK)

    def write(self, socket, data):
        self.run.written[socket] += bytes(data)
        return self.submit(None)

    def close(self, socket):
        self.run.open[socket] = False


def _of_host(name):
    """Returns an import that calls the host of the run under way."""
    return lambda *arguments: getattr(_host, name)(*arguments)


def _keep(name):
    def call(value):
        known = getattr(_host, name)
        known.append(value)
        return len(known) - 1

    return call


def _summary(number):
    answer = _host.outcome(number)
    return ReplySummary(answer.status, len(answer.body), int(answer.after * 1e9))


def _fail(kind, detail):
    _host.run.failure = _host.run.failure or (kind.name.lower(), detail)


def _draw():
    _host.drawn += 1
    return (_host.drawn * 0x9E3779B97F4A7C15) & (2**64 - 1)


TransferProgress = _record("TransferProgress", "headed", "content")
TransferTimes = _record("TransferTimes", "start", "headed", "end", "fresh")
ReplySummary = _record("ReplySummary", "status", "body_bytes", "duration")
_bodies = {f"RequestBody_{name}": _record(f"RequestBody_{name}", "value") for name in ("Json", "Text", "Form", "File")}
_bodies["RequestBody_None_"] = type("RequestBody_None_", (), {})
_module("componentize_py_types", Err=Err)
_module("wit_world")
_module("wit_world.exports")
_action = _module(
    "wit_world.exports.action",
    Progress=_enum("Progress", "PENDING", "PASSED", "FAILED"),
    ActionDescription=_record("ActionDescription", "name", "summary", "params_schema", "sets_variables"),
    Description=_record("Description", "name", "version", "actions"),
    ConfigError=_record("ConfigError", "pointer", "message", "help"),
)
sys.modules["wit_world.exports"].action = _action
_imports = _module("wit_world.imports")
for _name, _names in {
    "types": {"FailureKind": FailureKind},
    "http": {
        **_bodies,
        "Version": _enum("Version", "NEGOTIATE", "HTTP1", "HTTP2"),
        "RequestOptions": _record("RequestOptions", "version", "max_redirects", "compression", "keep_body"),
        "RequestTemplate": _record(
            "RequestTemplate", "method", "url", "query", "headers", "body", "credentials", "options"
        ),
        "DynamicRequest": _record("DynamicRequest", "method", "url", "headers", "body", "options"),
        "ReplySummary": ReplySummary,
        "prepare": _keep("prepared"),
        "send": _of_host("send_prepared"),
        "send_dynamic": lambda it: _host.send(Request(it.method, it.url, [], list(it.headers), it.body)),
        "reply": _summary,
        "header": lambda number, name: _host.operations[number].headers.get(name),
        "body": lambda number: _host.operations[number].body,
    },
    "log": {
        "Level": _enum("Level", "ERROR", "WARN", "INFO", "DEBUG"),
        "write": lambda level, line: _host.run.log.append((level.name.lower(), line)),
    },
    "operations": {"cancel": lambda number: None},
    "report": {
        "MetricKind": _enum("MetricKind", "COUNTER", "GAUGE", "RATE", "TREND"),
        "MetricUnit": _enum("MetricUnit", "NUMBER", "NANOSECONDS", "BYTES"),
        "fail": _fail,
        "define": lambda name, kind, unit: _keep("metrics")(name),
        "add": lambda metric, value: _host.run.metrics.setdefault(_host.metrics[metric], []).append(value),
    },
    "sockets": {
        "Address": _record("Address", "host", "port", "tls"),
        "TlsOptions": _record("TlsOptions", "server_name", "alpn"),
        "connect": _of_host("connect"),
        "connected": _of_host("outcome"),
        "read": lambda socket, most: _host.read(socket),
        "received": _of_host("outcome"),
        "write": _of_host("write"),
        "written": _of_host("outcome"),
        "secure": _of_host("secure"),
        "secured": _of_host("outcome"),
        "close": _of_host("close"),
    },
    "streams": {
        "open": lambda number, content, more: _host.send_prepared(number),
        "head": lambda exchange: _host.submit(getattr(_host.operations[exchange], "status", _host.operations[exchange])),
        "arrived": _of_host("outcome"),
        "read": lambda exchange: _host.submit(_taken(_host.operations[exchange])),
        "received": _of_host("outcome"),
        "leave": lambda exchange: None,
    },
    "task": {"turn": lambda: None, "active_time": lambda: int(_host.now * 1e9)},
    "templates": {"compile": _keep("templates"), "render": _of_host("render")},
    "timer": {"sleep": lambda nanoseconds: _host.submit(None, nanoseconds / 1e9), "now": lambda: int(_host.now * 1e9)},
    "transfers": {
        "RowTimes": _enum("RowTimes", "COUNTED", "BY_DESIGN"),
        "define_row": lambda name, times: _keep("rows")(name),
        "begin": _of_host("begin"),
        "progress": _of_host("progress"),
        "times": lambda number: TransferTimes(0, int(_host.now * 1e9), int(_host.now * 1e9), False),
        "fingerprint": lambda number: hash(bytes(_host.operations[number].body)) & (2**64 - 1),
        "leave": _of_host("leave"),
    },
    "lifetime": {"lasts": lambda nanoseconds: None, "connections": lambda most: None, "ending": _of_host("ending")},
    "user": {
        "id": lambda: 0,
        "iteration": lambda: 0,
        "variable": lambda name: _host.run.variables.get(name),
        "set_variable": lambda name, value: _host.run.variables.update({name: value}),
        "set_header": lambda name, value: None,
        "random": _draw,
    },
}.items():
    setattr(_imports, _name, _module(f"wit_world.imports.{_name}", **_names))


def _taken(answer):
    """Takes the content of a streamed reply, which arrives in one piece."""
    content, answer.body = answer.body, b""
    return content


def run(action, params, replies=(), peers=(), variables=(), timeout=30.0, ends_after=None):
    """Configures a step and runs it once for one user; returns a `Run`. Raises `ConfigError` if the step is refused.

    The user's time ends after `ends_after` seconds, if it does.
    """
    global _host
    import json

    import stampede

    _host = _Host(replies, peers, variables, timeout)
    _host.ends_after = ends_after
    kept = sys.stdout, sys.stderr
    try:
        plugin = stampede.plugin("test", "0.0.0", action)()
        progress = plugin.start(plugin.configure(action.name, json.dumps(params)), 0)
        while progress is stampede.PENDING and _host.waiting:
            _host.waiting.sort()
            due, number = _host.waiting.pop(0)
            if due > _host.timeout:
                break
            _host.now = max(_host.now, due)
            progress = plugin.resume(0, number)
        if progress is stampede.PENDING:
            plugin.cancel(0)
            _host.now = _host.timeout
            _host.run.failure = ("timeout", None)
        elif progress is stampede.FAILED and _host.run.failure is None:
            found = [value for value in _host.operations if isinstance(value, FailureKind)]
            _host.run.failure = (found[-1].name.lower() if found else "plugin", None)
    except Err as error:
        raise stampede.ConfigError(error.value.message, error.value.pointer.lstrip("/") or None, error.value.help) from None
    finally:
        sys.stdout, sys.stderr = kept
    _host.run.elapsed = _host.now
    return _host.run
