"""The contract of stampede-shooter as straight-line code.

An action is a class whose `run` is a generator: it submits an operation, yields it, and goes on with its outcome.

    class Page(Action):
        name, summary, schema = "page", "fetches a page", {"properties": {"url": {"type": "string"}}}

        def __init__(self, params):
            self.page = request("GET", template(params, "url"))

        def run(self):
            reply = yield send(self.page)
            if reply.status != 200:
                raise Failure("status", f"expected status 200, got {reply.status}")

One interpreter serves all virtual users of a thread, so no call waits: a generator is suspended at its `yield` while
others run. Several operations may be submitted before the first of them is yielded; they run concurrently.

`print` writes to the load runner's log. `time.time()` and `datetime.now()` read the run's clock, to a millisecond. The
functions of the module `random` draw from the user's own numbers, which the run's seed decides. Files, threads and
sockets other than this helper's cannot be opened. Import modules at the top of a file: they are read while the
component is built.

An unexpected exception fails its task alone. A task that fails, or is cut off by a timeout, closes the sockets that it
has opened.
"""
import datetime
import io
import json
import os
import random as _random
import sys
import time
import traceback
from types import GeneratorType, SimpleNamespace

from componentize_py_types import Err
from wit_world.exports import action as exported
from wit_world.imports import http, lifetime, log, operations, report, sockets, streams, task as current_task, templates
from wit_world.imports import timer, transfers, user
from wit_world.imports.types import FailureKind

# The states of a task, as objects with their number only: reading the value of an `Enum` takes a call.
PENDING, PASSED, FAILED = (SimpleNamespace(value=progress.value) for progress in exported.Progress)


class Failure(Exception):
    """A failure of a task: its kind (`timeout`, `status`, `network`, `check`, `protocol` or `plugin`), and a detail.

    One without a detail was found by the load runner, which has recorded it with a better one.
    """

    def __init__(self, kind, detail=None):
        super().__init__(kind, detail)
        self.kind, self.detail = kind, detail


class Ended(Exception):
    """Raised at the `yield` at which a task waits that has called `ending`, when the user's time ends.

    A task that does not catch it passes.
    """


class ConfigError(Exception):
    """An error in a step: a message, the key it is about, and a way to fix it, if there is one."""

    def __init__(self, message, key=None, help=None):
        super().__init__(message)
        self.message, self.pointer, self.help = message, "" if key is None else f"/{key}", help


class Action:
    """An action. `__init__` is called once for each step, `run` each time a user comes to it."""

    name = summary = ""
    schema = {}
    sets_variables = False

    def __init__(self, params):
        """Checks the step's parameters, whose templates are not expanded; raises `ConfigError`."""

    def run(self):
        """Runs the step for one user, as a generator; raises `Failure`."""
        raise NotImplementedError


# Configuring.

def template(params, key, default=None):
    """Compiles the text under a key as a template, and returns its number, for `render`."""
    text = params.get(key, default)
    if isinstance(text, (bool, int, float)):
        # YAML reads `page: 7` as a number, and its author meant a text.
        text = json.dumps(text)
    if not isinstance(text, str):
        raise ConfigError(f"`{key}` must be a text", key) if key in params else ConfigError(f"`{key}` is missing")
    try:
        return templates.compile(text)
    except Err as error:
        raise ConfigError(error.value.message, key, error.value.help) from None


def options(keep_body=False, max_redirects=0, compression=False, version="NEGOTIATE"):
    """Returns options for sending a request. A reply has a body only if it is kept."""
    return http.RequestOptions(http.Version[version], max_redirects, compression, keep_body)


def request(method, url, headers=(), query=(), json_body=None, text_body=None, how=options()):
    """Prepares a request: its URL, header values and body are templates."""
    body = http.RequestBody_None_()
    if json_body is not None:
        body = http.RequestBody_Json(json_body)
    elif text_body is not None:
        body = http.RequestBody_Text(text_body)
    try:
        return http.prepare(http.RequestTemplate(method, url, list(query), list(headers), body, None, how))
    except Err as error:
        raise ConfigError(error.value) from None


def metric(name, kind="COUNTER", unit="NUMBER"):
    """Defines a metric, for `report.add`."""
    try:
        return report.define(name, report.MetricKind[kind], report.MetricUnit[unit])
    except Err as error:
        raise ConfigError(error.value) from None


def row(name, by_design=False):
    """Defines a row of the report below the step's, for `begin` and `leave_in`.

    The times of a row that is by design, such as that of a long poll, are in no total.
    """
    try:
        return transfers.define_row(name, transfers.RowTimes.BY_DESIGN if by_design else transfers.RowTimes.COUNTED)
    except Err as error:
        raise ConfigError(error.value) from None


def lasts(seconds):
    """Declares that a task of the step lasts for up to this time, so that its timeout is longer; its requests take no turns."""
    lifetime.lasts(int(seconds * 1e9))


def connections(most):
    """Declares how many requests a task of the step has under way at once to one host."""
    lifetime.connections(most)


# Running. An operation is its number, and the function that returns its outcome.

# The task whose generator runs now.
_current = None


class _Task:
    """A task: its generator, the operation that it waits for, and what it must close."""

    __slots__ = "run", "number", "outcome", "ended", "opened", "ending"

    def __init__(self, run):
        self.run, self.ended, self.opened, self.ending = run, None, (), None

    def close(self):
        for socket in self.opened:
            sockets.close(socket)


def _check_running():
    """Raises if no task runs, in whose name something could be done: the host would end the interpreter."""
    if _current is None:
        raise RuntimeError("this works only while `run` runs")


def render(number):
    """Renders a template for the current user."""
    _check_running()
    return templates.render(number)


def now():
    """Returns the seconds since the run began, from the clock that also times the requests."""
    return timer.now() / 1e9


def iso_now():
    """Returns the time in UTC with milliseconds, such as `2026-01-31T09:05:00.250Z`; `time.time()` has it as seconds."""
    clock = datetime.datetime.fromtimestamp(time.time(), datetime.timezone.utc)
    return clock.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def random():
    """Returns the next of the user's random numbers, from 0 up to, but not including, 1."""
    _check_running()
    return (user.random() >> 11) * 2.0**-53


def host_and_port(text, default_port=None):
    """Splits `mail.site:25` or `[::1]:25` into host and port; raises `ConfigError`."""
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        host, port = text, default_port
    try:
        number = int(port)
        if not host or not 1 <= number <= 65535:
            raise ValueError
    except (TypeError, ValueError):
        raise ConfigError(f"expected `HOST:PORT`, got `{text}`") from None
    return host.strip("[]"), number


# The reply to a request: `status`, `body_bytes`, `duration` in nanoseconds, and the methods below. They are added to
# the class of the bindings: with a class of its own, every reply would be created twice.
Reply = http.ReplySummary
# The first value of a header field, or `None`.
Reply.header = lambda reply, name: http.header(reply.operation, name)
# The content as bytes, and as text, if the request asked to keep it.
Reply.body = lambda reply: http.body(reply.operation)
Reply.text = lambda reply: http.body(reply.operation).decode(errors="replace")
# The times of the exchange in nanoseconds since the run began: `start`, `headed`, `end`, and `fresh` for a new connection.
Reply.times = lambda reply: transfers.times(reply.operation)
# A number made from the content as it was transferred: other content has another. Only of the reply to a `begin`.
Reply.fingerprint = lambda reply: transfers.fingerprint(reply.operation)


def _reply(operation):
    reply = http.reply(operation)
    reply.operation = operation
    return reply


def _nothing(operation):
    return None


def send(prepared):
    """Submits a prepared request; yields a `Reply`."""
    _check_running()
    return http.send(prepared), _reply


def send_now(method, url, headers=(), body=b"", how=options()):
    """Submits a request that is decided now; yields a `Reply`."""
    _check_running()
    return http.send_dynamic(http.DynamicRequest(method, url, list(headers), body, how)), _reply


def begin(row, method, url, headers=(), body=b"", how=options()):
    """Submits a request that is decided now and counts in a row of its own; yields a `Reply`."""
    _check_running()
    return transfers.begin(http.DynamicRequest(method, url, list(headers), body, how), row), _reply


def progress(operation):
    """Returns the progress of a `begin`: `headed`, when its head was complete in nanoseconds, or `None`; and `content`."""
    return transfers.progress(operation[0])


def leave_in(row, operation):
    """Ends a `begin` here, as intended: it counts in this row, and is no failure."""
    _check_running()
    transfers.leave(operation[0], row)


def ending():
    """Has `Ended` raised at the `yield` at which the task waits when the user's time ends."""
    _check_running()
    _current.ending = lifetime.ending()


def sleep(seconds):
    """Waits."""
    _check_running()
    return timer.sleep(int(seconds * 1e9)), _nothing


def turn():
    """Waits for the user's turn under its rate limit: `yield from turn()`.

    The request or the first operation on sockets that comes next takes the turn, and begins at once. A time that is
    measured from then on has no wait in it."""
    _check_running()
    operation = current_task.turn()
    if operation is not None:
        yield operation, _nothing


def active_time():
    """The seconds since the run began, without those in which this task could only wait for a turn."""
    return current_task.active_time() / 1e9


class Socket(int):
    """A socket: its number, and the bytes that have arrived and were not asked for so far."""

    unread = b""


def connect(host, port, tls=None):
    """Connects; yields a `Socket`. `tls` is a `sockets.TlsOptions`."""
    _check_running()
    return sockets.connect(sockets.Address(host, port, tls)), _connected


def _connected(operation):
    socket = Socket(sockets.connected(operation))
    _current.opened += (socket,)
    return socket


def secure(socket, tls=None):
    """Begins TLS on a socket in clear, as SMTP does after STARTTLS; the certificate must be for the host of the connect.

    `tls` is a `sockets.TlsOptions`. Fails, and closes the socket, if bytes that came in clear are left: anyone on the way
    may have added them.
    """
    _check_running()
    if getattr(socket, "unread", b""):
        sockets.close(socket)
        raise Failure("protocol", "the peer has sent bytes in clear before TLS began")
    return sockets.secure(socket, tls or sockets.TlsOptions(None, [])), sockets.secured


def close(socket):
    """Closes a socket; works in the `finally` block of a task that was cut off, too."""
    sockets.close(socket)


def write(socket, data):
    """Writes all of these bytes."""
    _check_running()
    return sockets.write(socket, data), sockets.written


def read(socket, most=65536):
    """Reads; yields at least one byte, or none if the peer has closed its side."""
    _check_running()
    if unread := getattr(socket, "unread", b""):
        socket.unread = unread[most:]
        return None, lambda _: unread[:most]
    return sockets.read(socket, most), sockets.received


def read_exact(socket, length):
    """Reads exactly `length` bytes: `data = yield from read_exact(socket, 4)`."""
    while (missing := length - len(socket.unread)) > 0:
        # The bytes of a read that is given up are in no buffer yet, and the next read returns them.
        arrived = yield sockets.read(socket, max(missing, 16384)), sockets.received
        if not arrived:
            there = len(socket.unread)
            raise Failure("network", f"expected {length} bytes, got {there} before the connection ended")
        socket.unread += arrived
    data, socket.unread = socket.unread[:length], socket.unread[length:]
    return data


def read_until(socket, delimiter, most=65536):
    """Reads up to a delimiter, at most `most` bytes, and returns them with it.

    `line = yield from read_until(socket, b"\\r\\n")`
    """
    searched = 0
    while (at := socket.unread.find(delimiter, searched)) < 0:
        there = len(socket.unread)
        if there >= most:
            break
        # The delimiter's first bytes may have arrived already.
        searched = max(0, there + 1 - len(delimiter))
        arrived = yield sockets.read(socket, 16384), sockets.received
        if not arrived:
            shown = ascii(delimiter)[2:-1]
            raise Failure("network", f"expected `{shown}`, got {there} bytes before the connection ended")
        socket.unread += arrived
    end = at + len(delimiter)
    if at < 0 or end > most:
        raise Failure("protocol", f"expected `{ascii(delimiter)[2:-1]}` within {most} bytes")
    data, socket.unread = socket.unread[:end], socket.unread[end:]
    return data


def open_stream(prepared):
    """Submits a prepared request whose reply is read in pieces; returns the exchange, for the functions below."""
    _check_running()
    return streams.open(prepared, b"", False)


def head(exchange):
    """Waits for the head of the reply; yields its status."""
    _check_running()
    return streams.head(exchange), streams.arrived


def read_stream(exchange):
    """Reads content as it arrives; yields at least one byte, or none if it has ended."""
    _check_running()
    return streams.read(exchange), streams.received


def leave(exchange):
    """Ends the exchange here, as intended."""
    _check_running()
    streams.leave(exchange)


def give_up(operation):
    """Gives up an operation that was submitted: it is never announced."""
    operations.cancel(operation[0])


# What the standard library does in a plugin.

class _Log(io.TextIOBase):
    """Standard output or error, as lines of the load runner's log."""

    def __init__(self, level):
        self.level, self.line = level, ""

    def writable(self):
        return True

    def write(self, text):
        *lines, self.line = (self.line + text).split("\n")
        for line in lines:
            log.write(self.level, line)
        return len(text)

    def flush(self):
        if self.line:
            log.write(self.level, self.line)
            self.line = ""


class _UserRandom(_random.Random):
    """The module `random` on the user's own numbers, which the run's seed decides."""

    def random(self):
        return random()

    def getrandbits(self, bits):
        if bits < 0:
            raise ValueError("number of bits must be non-negative")
        _check_running()
        words, value = -(-bits // 64), 0
        for _ in range(words):
            value = value << 64 | user.random()
        return value >> (words * 64 - bits)

    def seed(self, *ignored, **more):
        """Does nothing: the seed is the run's."""

    def getstate(self):
        raise NotImplementedError("the numbers of a user have no state to save")

    setstate = getstate


def _no_sleep(seconds):
    raise RuntimeError("`time.sleep` would stop all users of the thread: write `yield sleep(seconds)`")


def _redirect_modules():
    """Points functions of the standard library at the host, also where modules have imported them by name.

    Runs at the end of the plugin's module, while the component is built: what was drawn before is in the component.
    """
    old, new = _random._inst, _UserRandom()
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", {})
        for name, value in list(names.items()):
            if value is time.sleep and module is not time:
                names[name] = _no_sleep
            elif getattr(value, "__self__", None) is old:
                names[name] = getattr(new, value.__name__)
    _random._inst, time.sleep = new, _no_sleep


# The exports.

def _failed(failure):
    if failure.detail is not None:
        report.fail(FailureKind[failure.kind.upper()], failure.detail)
    return FAILED


def _described(error):
    """Describes an unexpected exception: the last line of the plugin's own code, the type and the message."""
    text = "".join(traceback.format_exception_only(error)).strip().replace("\n", ": ")
    if isinstance(error, ImportError):
        text += " (import it at the top of the file: modules are read while the component is built)"
    library, place = os.path.dirname(traceback.__file__), None
    for frame, line in traceback.walk_tb(error.__traceback__):
        file = frame.f_code.co_filename
        if file != __file__ and not file.startswith((library, "<")):
            folders = [folder for folder in sys.path if folder and file.startswith(folder)]
            place = f"{file[len(max(folders, key=len, default='')) :].lstrip('/')}:{line}"
    return text if place is None else f"{place}: {text}"


# The places of exceptions whose tracebacks were logged.
_logged = set()


def _log_traceback(error, described=None):
    """Logs where an exception came from, once for each that is described alike: the log has few lines a second."""
    if described in _logged:
        return
    if described is not None and len(_logged) < 100:
        _logged.add(described)
    for line in "".join(traceback.format_exception(error)).splitlines():
        log.write(log.Level.ERROR, line)


def _broken(error):
    """Ends a task that has raised an unexpected exception, and not the interpreter that all tasks share."""
    described = _described(error)
    _log_traceback(error, described)
    report.fail(FailureKind.PLUGIN, described)
    return FAILED


def _unusable(operation):
    what = "a generator: write `yield from`" if isinstance(operation, GeneratorType) else f"`{operation!r:.80}`"
    return TypeError(f"`yield` takes an operation such as `send(…)`, not {what}")


def plugin(name, version, *actions):
    """Builds the class `Action` of a plugin's module from the actions it offers."""
    offered, steps, tasks = {action.name: action for action in actions}, [], {}
    _redirect_modules()

    def go_on(number, task, value, failure=None):
        """Runs a task, with the outcome of its operation, until it waits for one that has not completed."""
        global _current
        _current = task
        try:
            while True:
                operation = task.run.send(value) if failure is None else task.run.throw(failure)
                failure = None
                if operation.__class__ is not tuple:
                    failure = _unusable(operation)
                    continue
                awaited, outcome = operation
                if awaited is not None and (task.ended is None or awaited not in task.ended):
                    # The set has the operations that have completed before they were yielded.
                    task.number, task.outcome = awaited, outcome
                    tasks[number] = task
                    return PENDING
                try:
                    value = outcome(awaited)
                except Err as error:
                    failure = Failure(error.value.name.lower())
        except StopIteration:
            return PASSED
        except Ended:
            task.close()
            return PASSED
        except Failure as error:
            task.close()
            return _failed(error)
        except BaseException as error:
            task.close()
            return _broken(error)
        finally:
            _current = None

    class Plugin:
        def describe(self):
            described = [
                exported.ActionDescription(it.name, it.summary, json.dumps(it.schema), it.sets_variables) for it in actions
            ]
            return exported.Description(name, version, described)

        def configure(self, action, params):
            if not isinstance(sys.stdout, _Log):
                sys.stdout, sys.stderr = _Log(log.Level.INFO), _Log(log.Level.WARN)
            try:
                steps.append(offered[action](json.loads(params)))
            except ConfigError as wrong:
                raise Err(exported.ConfigError(wrong.pointer, wrong.message, wrong.help)) from None
            except BaseException as error:
                _log_traceback(error)
                raise Err(exported.ConfigError("", f"the plugin failed: {_described(error)}", None)) from None
            return len(steps) - 1

        def start(self, step, number):
            global _current
            task = _current = _Task(None)
            try:
                task.run = steps[step].run()
            except Failure as failure:
                return _failed(failure)
            except BaseException as error:
                return _broken(error)
            finally:
                _current = None
            # A `run` without a `yield` is no generator, and done already.
            return go_on(number, task, None) if isinstance(task.run, GeneratorType) else PASSED

        def resume(self, number, operation):
            global _current
            task = tasks[number]
            if operation == task.ending:
                task.ending = None
                del tasks[number]
                return go_on(number, task, None, Ended())
            if operation != task.number:
                task.ended = {operation} if task.ended is None else task.ended | {operation}
                return PENDING
            del tasks[number]
            _current = task
            try:
                value = task.outcome(operation)
            except Err as error:
                failure = Failure(error.value.name.lower())
                return go_on(number, task, None, failure)
            except BaseException as error:
                task.close()
                _current = None
                return _broken(error)
            return go_on(number, task, value)

        def cancel(self, number):
            task = tasks.pop(number, None)
            if task is None:
                return
            try:
                # Runs the generator's `finally` blocks, in which nothing can be submitted any more.
                task.run.close()
            except BaseException as error:
                _log_traceback(error)
            task.close()

        def forget_user(self, user):
            for action in actions:
                try:
                    if forget := getattr(action, "forget_user", None):
                        forget(user)
                except BaseException as error:
                    _log_traceback(error)

    return Plugin
