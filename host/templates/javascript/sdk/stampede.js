// The contract of stampede-shooter as straight-line code.
//
// An action is a class whose `run` is a generator: it submits an operation, yields it, and goes on with its outcome.
//
//   class Page {
//     static action = { name: 'page', summary: 'fetches a page', schema: { properties: { url: { type: 'string' } } } };
//
//     constructor(params) {
//       this.page = request('GET', template(params, 'url'));
//     }
//
//     *run() {
//       const reply = yield send(this.page);
//       if (reply.status !== 200) throw new Failure('status', `expected status 200, got ${reply.status}`);
//     }
//   }
//
// One interpreter serves all virtual users of a thread, so no call waits: a generator is suspended at its `yield` while
// others run, and promises and `await` do not work. Several operations may be submitted before the first of them is
// yielded; they run concurrently.
//
// `console` writes to the load runner's log, `Date` reads the run's clock, to a millisecond, and `Math.random` draws from
// the user's own numbers, which the run's seed decides. `fetch`, `setTimeout` and the like throw.
//
// An unexpected exception fails its task alone. A task that fails, or is cut off by a timeout, closes the sockets that
// it has opened.

import * as http from 'stampede:plugin/http@0.1.3';
import * as lifetime from 'stampede:plugin/lifetime@0.1.3';
import * as log from 'stampede:plugin/log@0.1.3';
import * as operations from 'stampede:plugin/operations@0.1.3';
import * as report from 'stampede:plugin/report@0.1.3';
import * as sockets from 'stampede:plugin/sockets@0.1.3';
import * as streams from 'stampede:plugin/streams@0.1.3';
import * as task from 'stampede:plugin/task@0.1.3';
import * as templates from 'stampede:plugin/templates@0.1.3';
import * as timer from 'stampede:plugin/timer@0.1.3';
import * as transfers from 'stampede:plugin/transfers@0.1.3';
import * as user from 'stampede:plugin/user@0.1.3';

export { log, report, sockets, timer, user };

/// A failure of a task: its kind (`timeout`, `status`, `network`, `check`, `protocol` or `plugin`), and a detail. One
/// without a detail was found by the load runner, which has recorded it with a better one.
export class Failure {
  constructor(kind, detail) {
    this.kind = kind;
    this.detail = detail;
  }
}

/// Thrown at the `yield` at which a task waits that has called `ending`, when the user's time ends. A task that does not
/// catch it passes.
export class Ended {}

/// An error in a step: a message, the key it is about, and a way to fix it, if there is one.
export class ConfigError {
  constructor(message, key, help) {
    this.message = message;
    this.pointer = key === undefined ? '' : `/${key}`;
    this.help = help;
  }
}

// Configuring.

/// Returns the error of an import.
const payload = (error) => error?.payload ?? error;

/// Compiles the text under a key as a template, and returns its number; `render` renders it for the current user.
export function template(params, key, otherwise) {
  let text = params[key] ?? otherwise;
  // YAML reads `page: 7` as a number, and its author meant a text.
  if (typeof text === 'number' || typeof text === 'boolean') text = String(text);
  if (text === undefined) throw new ConfigError(`\`${key}\` is missing`);
  if (typeof text !== 'string') throw new ConfigError(`\`${key}\` must be a text`, key);
  try {
    return templates.compile(text);
  } catch (error) {
    const { message, help } = payload(error);
    throw new ConfigError(message, key, help);
  }
}

/// Returns options for sending a request. A reply has a body only if it is kept.
export const options = ({ keepBody = false, maxRedirects = 0, compression = false, version = 'negotiate' } = {}) => ({
  version,
  maxRedirects,
  compression,
  keepBody,
});

/// Prepares a request: its URL, header values and body (`{ tag: 'text' | 'json', val }`) are templates.
export function request(method, url, { headers = [], query = [], body = { tag: 'none' }, how = options() } = {}) {
  try {
    return http.prepare({ method, url, query, headers, body, credentials: undefined, options: how });
  } catch (error) {
    throw new ConfigError(payload(error));
  }
}

/// Defines a metric, for `report.add`.
export function metric(name, kind = 'counter', unit = 'number') {
  try {
    return report.define(name, kind, unit);
  } catch (error) {
    throw new ConfigError(payload(error));
  }
}

/// Defines a row of the report below the step's, for `begin` and `leaveIn`. The times of a row that is by design, such as
/// that of a long poll, are in no total.
export function row(name, { byDesign = false } = {}) {
  try {
    return transfers.defineRow(name, byDesign ? 'by-design' : 'counted');
  } catch (error) {
    throw new ConfigError(payload(error));
  }
}

/// Declares that a task of the step lasts for up to this time, so that its timeout is longer; its requests take no turns.
export const lasts = (seconds) => lifetime.lasts(BigInt(Math.round(seconds * 1e9)));

/// Declares how many requests a task of the step has under way at once to one host.
export const connections = (most) => lifetime.connections(most);

// Running. An operation is its number, and the function that returns its outcome.

/// The task whose generator runs now: the sockets that it has opened.
let current;

/// Throws if no task runs, in whose name something could be done: the host would end the interpreter.
function checkRunning() {
  if (current === undefined) throw new Error('this works only while `run` runs');
}

/// Renders a template for the current user.
export function render(number) {
  checkRunning();
  return templates.render(number);
}

/// Returns the seconds since the run began, from the clock that also times the requests.
export const now = () => Number(timer.now()) / 1e9;

/// Returns the time in UTC with milliseconds, such as `2026-01-31T09:05:00.250Z`; `Date.now()` has it as a number.
export const isoNow = () => new Date().toISOString();

/// Returns the next of the user's random numbers, from 0 up to, but not including, 1.
export function random() {
  checkRunning();
  return Number(user.random() >> 11n) * 2 ** -53;
}

/// Splits `mail.site:25` or `[::1]:25` into host and port.
export function hostAndPort(text, defaultPort) {
  const [, host, port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(text) ?? [];
  const number = Number(port ?? defaultPort);
  if (!host || !Number.isInteger(number) || number < 1 || number > 65535) {
    throw new ConfigError(`expected \`HOST:PORT\`, got \`${text}\``);
  }
  return [host.replace(/^\[|\]$/g, ''), number];
}

/// The reply to a request.
class Reply {
  constructor(operation, { status, bodyBytes, duration }) {
    this.operation = operation;
    this.status = status;
    this.size = bodyBytes;
    this.duration = duration;
  }

  /// Returns the first value of a header field, if there is one.
  header(name) {
    return http.header(this.operation, name);
  }

  /// Returns the content as bytes, if the request asked to keep it.
  body() {
    return http.body(this.operation);
  }

  /// Returns the content as text.
  text() {
    return new TextDecoder().decode(http.body(this.operation));
  }

  /// Returns the times of the exchange in nanoseconds since the run began: `start`, `headed`, `end`, and `fresh` for a new
  /// connection.
  times() {
    return transfers.times(this.operation);
  }

  /// Returns a number made from the content as it was transferred: other content has another. Only of the reply to a
  /// `begin`.
  fingerprint() {
    return transfers.fingerprint(this.operation);
  }
}

const reply = (operation) => new Reply(operation, http.reply(operation));
const nothing = () => undefined;

/// Submits a prepared request; yields a `Reply`.
export function send(prepared) {
  checkRunning();
  return { number: http.send(prepared), outcome: reply };
}

/// Submits a request that is decided now; yields a `Reply`.
export function sendNow(method, url, { headers = [], body = new Uint8Array(), how = options() } = {}) {
  checkRunning();
  return { number: http.sendDynamic({ method, url, headers, body, options: how }), outcome: reply };
}

/// Submits a request that is decided now and counts in a row of its own; yields a `Reply`.
export function begin(row, method, url, { headers = [], body = new Uint8Array(), how = options() } = {}) {
  checkRunning();
  return { number: transfers.begin({ method, url, headers, body, options: how }, row), outcome: reply };
}

/// Returns the progress of a `begin`: `headed`, when its head was complete in nanoseconds, if it was; and `content`.
export const progress = (operation) => transfers.progress(operation.number);

/// Ends a `begin` here, as intended: it counts in this row, and is no failure.
export function leaveIn(row, operation) {
  checkRunning();
  transfers.leave(operation.number, row);
}

/// Has `Ended` thrown at the `yield` at which the task waits when the user's time ends.
export function ending() {
  checkRunning();
  current.ending = lifetime.ending();
}

/// Waits.
export function sleep(seconds) {
  checkRunning();
  return { number: timer.sleep(BigInt(Math.round(seconds * 1e9))), outcome: nothing };
}

// Bytes of sockets that have arrived and were not asked for so far, by user and socket.
const unread = new Map();
const none = new Uint8Array();
const place = (socket) => `${user.id()} ${socket}`;

/// Waits for the user's turn under its rate limit: `yield* turn()`. The request or the first operation on sockets that
/// comes next takes the turn, and begins at once. A time that is measured from then on has no wait in it.
export function* turn() {
  checkRunning();
  const number = task.turn();
  if (number !== undefined) yield { number, outcome: nothing };
}

/// Returns the seconds since the run began, without those in which this task could only wait for a turn.
export const activeTime = () => Number(task.activeTime()) / 1e9;

/// Connects; yields a socket's number. `tls` is `{ serverName, alpn }`.
export function connect(host, port, tls) {
  checkRunning();
  return { number: sockets.connect({ host, port, tls }), outcome: connected };
}

function connected(operation) {
  const socket = sockets.connected(operation);
  current.opened.push(socket);
  unread.delete(place(socket));
  return socket;
}

/// Begins TLS on a socket in clear, as SMTP does after STARTTLS; the certificate must be for the host of the connect.
/// `tls` is `{ serverName, alpn }`. Fails, and closes the socket, if bytes that came in clear are left: anyone on the way
/// may have added them.
export function secure(socket, tls = {}) {
  checkRunning();
  if (buffered(socket).length > 0) {
    sockets.close(socket);
    throw new Failure('protocol', 'the peer has sent bytes in clear before TLS began');
  }
  return { number: sockets.secure(socket, { alpn: [], ...tls }), outcome: sockets.secured };
}

/// Closes a socket; works in the `finally` block of a task that was cut off, too.
export const close = (socket) => sockets.close(socket);

/// Writes all of these bytes.
export function write(socket, data) {
  checkRunning();
  return { number: sockets.write(socket, data), outcome: sockets.written };
}

/// Reads; yields at least one byte, or none if the peer has closed its side.
export function read(socket, most = 65536) {
  checkRunning();
  const there = buffered(socket);
  if (there.length === 0) return { number: sockets.read(socket, most), outcome: sockets.received };
  const taken = take(socket, most);
  return { number: undefined, outcome: () => taken };
}

const buffered = (socket) => unread.get(place(socket)) ?? none;

/// Takes bytes from a socket's buffer.
function take(socket, length) {
  const there = buffered(socket);
  if (there.length > length) unread.set(place(socket), there.subarray(length));
  else unread.delete(place(socket));
  return there.subarray(0, length);
}

/// Waits for more bytes in a socket's buffer; returns `false` if the peer has closed its side.
function* fill(socket, most) {
  const arrived = yield { number: sockets.read(socket, most), outcome: sockets.received };
  const there = buffered(socket);
  const all = new Uint8Array(there.length + arrived.length);
  all.set(there);
  all.set(arrived, there.length);
  unread.set(place(socket), all);
  return arrived.length > 0;
}

/// Reads exactly `length` bytes: `const data = yield* readExact(socket, 4)`.
export function* readExact(socket, length) {
  for (let there; (there = buffered(socket).length) < length; ) {
    if (!(yield* fill(socket, Math.max(length - there, 16384)))) {
      throw new Failure('network', `expected ${length} bytes, got ${there} before the connection ended`);
    }
  }
  return take(socket, length);
}

/// Reads up to a delimiter, a text or bytes, at most `most` bytes, and returns them with it:
/// `const line = yield* readUntil(socket, '\r\n')`.
export function* readUntil(socket, delimiter, most = 65536) {
  const mark = typeof delimiter === 'string' ? new TextEncoder().encode(delimiter) : delimiter;
  const shown = JSON.stringify(String.fromCharCode(...mark)).slice(1, -1);
  for (let from = 0; ; ) {
    const there = buffered(socket);
    const at = indexOf(there, mark, from);
    if (at >= 0 && at + mark.length <= most) return take(socket, at + mark.length);
    if (at >= 0 || there.length >= most) throw new Failure('protocol', `expected \`${shown}\` within ${most} bytes`);
    // The delimiter's first bytes may have arrived already.
    from = Math.max(0, there.length + 1 - mark.length);
    if (!(yield* fill(socket, 16384))) {
      throw new Failure('network', `expected \`${shown}\`, got ${there.length} bytes before the connection ended`);
    }
  }
}

function indexOf(bytes, mark, from) {
  for (let at = from; at + mark.length <= bytes.length; at++) {
    if (mark.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}

/// Submits a prepared request whose reply is read in pieces; returns the exchange, for the functions below.
export function openStream(prepared) {
  checkRunning();
  return streams.open(prepared, none, false);
}

/// Waits for the head of the reply; yields its status.
export function head(exchange) {
  checkRunning();
  return { number: streams.head(exchange), outcome: streams.arrived };
}

/// Reads content as it arrives; yields at least one byte, or none if it has ended.
export function readStream(exchange) {
  checkRunning();
  return { number: streams.read(exchange), outcome: streams.received };
}

/// Ends the exchange here, as intended.
export function leave(exchange) {
  checkRunning();
  streams.leave(exchange);
}

/// Gives up an operation that was submitted: it is never announced.
export const giveUp = (operation) => operations.cancel(operation.number);

// Replacements for functions of the language that a plugin cannot use as they are.

/// Returns a value as `console` shows it.
function shown(value) {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return `${value}\n${value.stack ?? ''}`;
  try {
    return typeof value === 'object' ? (JSON.stringify(value) ?? String(value)) : String(value);
  } catch {
    return String(value);
  }
}

const say = (level) => (...values) => {
  for (const line of values.map(shown).join(' ').split('\n')) log.write(level, line);
};

/// Returns a function that throws with the way to do it in a plugin.
const unavailable = (name, instead) => () => {
  throw new Error(`\`${name}\` does not work in a plugin, whose calls may not wait: ${instead}`);
};

/// Points functions of the language at the host, once a host is there: the component is built without one.
function install() {
  const { error, warn, info, debug } = { error: say('error'), warn: say('warn'), info: say('info'), debug: say('debug') };
  Object.assign(console, { error, warn, info, debug, log: info, trace: debug, dir: info });
  console.assert = (held, ...values) => held || error('assertion failed:', ...values);
  Math.random = random;
  globalThis.fetch = unavailable('fetch', 'write `yield send(…)`');
  for (const name of ['setTimeout', 'setInterval', 'setImmediate']) {
    globalThis[name] = unavailable(name, 'write `yield sleep(seconds)`');
  }
  globalThis.queueMicrotask = unavailable('queueMicrotask', 'write the code where it belongs');
}

// The exports.

/// Describes an unexpected exception: the last line of the plugin's own code, the type and the message.
function described(thrown) {
  const text = thrown instanceof Error || thrown?.constructor !== Object ? `${thrown}` : JSON.stringify(thrown);
  const lines = (thrown?.stack ?? '').split('\n').map((line) => /([^/@\s()]+\.[cm]?[jt]s):(\d+)/.exec(line));
  const own = lines.find((line) => line && line[1] !== 'stampede.js' && line[1] !== 'initializer.js');
  return own ? `${own[1]}:${own[2]}: ${text}` : text;
}

// The descriptions of exceptions whose stacks were logged.
const logged = new Set();

/// Logs where an exception came from, once for each that is described alike: the log has few lines a second.
function logThrown(thrown, text) {
  if (logged.has(text)) return;
  if (text !== undefined && logged.size < 100) logged.add(text);
  for (const line of `${thrown}\n${thrown?.stack ?? ''}`.trimEnd().split('\n')) log.write('error', line);
}

/// Goes on with the outcome of an operation that has completed.
function settle(run, operation) {
  let value;
  try {
    value = operation.outcome(operation.number);
  } catch (error) {
    return run.throw(new Failure(payload(error)));
  }
  return run.next(value);
}

/// Builds the export `action` of a plugin's module from the actions it offers.
export function plugin(name, version, ...actions) {
  const steps = [];
  const tasks = [];
  let installed = false;

  /// Ends a task that has thrown. An exception ends this task only, not the interpreter that all tasks share.
  function failed(task, thrown) {
    for (const socket of task.opened) sockets.close(socket);
    if (thrown instanceof Failure) {
      if (thrown.detail !== undefined) report.fail(thrown.kind, thrown.detail);
      return 'failed';
    }
    const text = described(thrown);
    logThrown(thrown, text);
    report.fail('plugin', text);
    return 'failed';
  }

  /// Runs a task, with what `advance` does first, until it waits for an operation that has not completed.
  function goOn(number, task, advance) {
    current = task;
    tasks[number] = undefined;
    try {
      for (let step = advance(); !step.done; ) {
        const operation = step.value;
        if (typeof operation?.outcome !== 'function') {
          const what = typeof operation?.next === 'function' ? 'a generator: write `yield*`' : `\`${shown(operation)}\``;
          step = task.run.throw(new TypeError(`\`yield\` takes an operation such as \`send(…)\`, not ${what}`));
        } else if (operation.number === undefined || task.ended?.delete(operation.number)) {
          step = settle(task.run, operation);
        } else {
          task.awaited = operation;
          tasks[number] = task;
          return 'pending';
        }
      }
      return 'passed';
    } catch (thrown) {
      if (thrown instanceof Ended) {
        for (const socket of task.opened) sockets.close(socket);
        return 'passed';
      }
      return failed(task, thrown);
    } finally {
      current = undefined;
    }
  }

  return {
    describe() {
      const described = actions.map(({ action }) => ({
        name: action.name,
        summary: action.summary,
        paramsSchema: JSON.stringify(action.schema),
        setsVariables: action.setsVariables ?? false,
      }));
      return { name, version, actions: described };
    },

    configure(name, params) {
      if (!installed) install();
      installed = true;
      try {
        const Action = actions.find(({ action }) => action.name === name);
        return steps.push(new Action(JSON.parse(params))) - 1;
      } catch (thrown) {
        if (thrown instanceof ConfigError) throw { pointer: thrown.pointer, message: thrown.message, help: thrown.help };
        logThrown(thrown);
        throw { pointer: '', message: `the plugin failed: ${described(thrown)}`, help: undefined };
      }
    },

    start(step, number) {
      // The sockets that it has opened, and the operations that have completed before they were yielded.
      const task = { run: undefined, opened: [], ended: undefined };
      return goOn(number, task, () => {
        task.run = steps[step].run();
        // A `run` that is no generator is done already.
        if (task.run === undefined) return { done: true };
        if (typeof task.run.next !== 'function' || task.run[Symbol.asyncIterator]) {
          throw new TypeError('`run` is a generator: write `*run()`, without `async`');
        }
        return task.run.next();
      });
    },

    resume(number, operation) {
      const task = tasks[number];
      const { awaited } = task;
      if (operation === task.ending) {
        task.ending = undefined;
        return goOn(number, task, () => task.run.throw(new Ended()));
      }
      if (operation !== awaited.number) {
        task.ended = (task.ended ?? new Set()).add(operation);
        return 'pending';
      }
      return goOn(number, task, () => settle(task.run, awaited));
    },

    cancel(number) {
      const task = tasks[number];
      tasks[number] = undefined;
      if (task === undefined) return;
      try {
        // Runs the generator's `finally` blocks, in which nothing can be submitted any more.
        task.run.return();
      } catch (thrown) {
        logThrown(thrown);
      }
      for (const socket of task.opened) sockets.close(socket);
    },

    forgetUser(user) {
      for (const key of [...unread.keys()].filter((key) => key.startsWith(`${user} `))) unread.delete(key);
      for (const Action of actions) {
        try {
          Action.forgetUser?.(user);
        } catch (thrown) {
          logThrown(thrown);
        }
      }
    },
  };
}
