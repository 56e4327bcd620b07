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
"""
import json
import traceback
from types import SimpleNamespace

from componentize_py_types import Err
from wit_world.exports import action as exported
from wit_world.imports import http, log, operations, report, sockets, task as current_task, templates, timer, user
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


# Running. An operation is its number, and the function that returns its outcome.

render = templates.render


# The reply to a request: `status`, `body_bytes`, `duration` in nanoseconds, and the methods below. They are added to
# the class of the bindings: with a class of its own, every reply would be created twice.
Reply = http.ReplySummary
# The first value of a header field, or `None`.
Reply.header = lambda reply, name: http.header(reply.operation, name)
# The content as bytes, and as text, if the request asked to keep it.
Reply.body = lambda reply: http.body(reply.operation)
Reply.text = lambda reply: http.body(reply.operation).decode(errors="replace")


def _reply(operation):
    reply = http.reply(operation)
    reply.operation = operation
    return reply


def _nothing(operation):
    return None


def send(prepared):
    """Submits a prepared request; yields a `Reply`."""
    return http.send(prepared), _reply


def send_now(method, url, headers=(), body=b"", how=options()):
    """Submits a request that is decided now; yields a `Reply`."""
    return http.send_dynamic(http.DynamicRequest(method, url, list(headers), body, how)), _reply


def sleep(seconds):
    """Waits."""
    return timer.sleep(int(seconds * 1e9)), _nothing


def turn():
    """Waits for the user's turn under its rate limit: `yield from turn()`.

    The request or the first operation on sockets that comes next takes the turn, and begins at once. A time that is
    measured from then on has no wait in it."""
    operation = current_task.turn()
    if operation is not None:
        yield operation, _nothing


def active_time():
    """The seconds since the run began, without those in which this task could only wait for a turn."""
    return current_task.active_time() / 1e9


def connect(host, port, tls=None):
    """Connects; yields a socket's number. `tls` is a `sockets.TlsOptions`."""
    return sockets.connect(sockets.Address(host, port, tls)), sockets.connected


def write(socket, data):
    """Writes all of these bytes."""
    return sockets.write(socket, data), sockets.written


def read(socket, most=65536):
    """Reads; yields at least one byte, or none if the peer has closed its side."""
    return sockets.read(socket, most), sockets.received


def give_up(operation):
    """Gives up an operation that was submitted: it is never announced."""
    operations.cancel(operation[0])


# The exports.

def _failed(failure):
    if failure.detail is not None:
        report.fail(FailureKind[failure.kind.upper()], failure.detail)
    return FAILED


def _broken():
    """Ends a task that has raised an unexpected exception, and not the interpreter that all tasks share."""
    for line in traceback.format_exc().splitlines():
        log.write(log.Level.ERROR, line)
    report.fail(FailureKind.PLUGIN, traceback.format_exc(limit=0).strip().replace("\n", ": "))
    return FAILED


def plugin(name, version, *actions):
    """Builds the class `Action` of a plugin's module from the actions it offers."""
    offered, steps, tasks = {action.name: action for action in actions}, [], {}

    class Plugin:
        def describe(self):
            described = [
                exported.ActionDescription(it.name, it.summary, json.dumps(it.schema), it.sets_variables) for it in actions
            ]
            return exported.Description(name, version, described)

        def configure(self, action, params):
            try:
                steps.append(offered[action](json.loads(params)))
            except ConfigError as wrong:
                raise Err(exported.ConfigError(wrong.pointer, wrong.message, wrong.help)) from None
            except Exception as error:
                message = f"the plugin failed: {type(error).__name__}: {error}"
                raise Err(exported.ConfigError("", message, None)) from None
            return len(steps) - 1

        def start(self, step, task):
            try:
                run = steps[step].run()
                number, outcome = next(run)
            except StopIteration:
                return PASSED
            except Failure as failure:
                return _failed(failure)
            except Exception:
                return _broken()
            # The last element has the operations that have completed before they were yielded.
            tasks[task] = (run, number, outcome, None)
            return PENDING

        def resume(self, task, operation):
            run, number, outcome, ended = tasks[task]
            if operation != number:
                tasks[task] = (run, number, outcome, {operation} if ended is None else ended | {operation})
                return PENDING
            try:
                while True:
                    try:
                        value = outcome(number)
                    except Err as error:
                        number, outcome = run.throw(Failure(error.value.name.lower()))
                    else:
                        number, outcome = run.send(value)
                    if ended is None or number not in ended:
                        break
            except StopIteration:
                del tasks[task]
                return PASSED
            except Failure as failure:
                del tasks[task]
                return _failed(failure)
            except Exception:
                del tasks[task]
                return _broken()
            tasks[task] = (run, number, outcome, ended)
            return PENDING

        def cancel(self, task):
            # `close` would run the generator's `finally` blocks, where nothing may be submitted any more.
            tasks.pop(task, None)

        def forget_user(self, user):
            for action in actions:
                if forget := getattr(action, "forget_user", None):
                    forget(user)

    return Plugin
