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

import * as http from 'stampede:plugin/http@0.1.3';
import * as log from 'stampede:plugin/log@0.1.3';
import * as operations from 'stampede:plugin/operations@0.1.3';
import * as report from 'stampede:plugin/report@0.1.3';
import * as sockets from 'stampede:plugin/sockets@0.1.3';
import * as task from 'stampede:plugin/task@0.1.3';
import * as templates from 'stampede:plugin/templates@0.1.3';
import * as timer from 'stampede:plugin/timer@0.1.3';
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

// Running. An operation is its number, and the function that returns its outcome.

export const render = templates.render;

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
}

const reply = (operation) => new Reply(operation, http.reply(operation));
const nothing = () => undefined;

/// Submits a prepared request; yields a `Reply`.
export const send = (prepared) => ({ number: http.send(prepared), outcome: reply });

/// Submits a request that is decided now; yields a `Reply`.
export const sendNow = (method, url, { headers = [], body = new Uint8Array(), how = options() } = {}) => ({
  number: http.sendDynamic({ method, url, headers, body, options: how }),
  outcome: reply,
});

/// Waits.
export const sleep = (seconds) => ({ number: timer.sleep(BigInt(Math.round(seconds * 1e9))), outcome: nothing });

/// Waits for the user's turn under its rate limit: `yield* turn()`. The request or the first operation on sockets that
/// comes next takes the turn, and begins at once. A time that is measured from then on has no wait in it.
export function* turn() {
  const number = task.turn();
  if (number !== undefined) yield { number, outcome: nothing };
}

/// Returns the seconds since the run began, without those in which this task could only wait for a turn.
export const activeTime = () => Number(task.activeTime()) / 1e9;

/// Connects; yields a socket's number. `tls` is `{ serverName, alpn }`.
export const connect = (host, port, tls) => ({ number: sockets.connect({ host, port, tls }), outcome: sockets.connected });

/// Writes all of these bytes.
export const write = (socket, data) => ({ number: sockets.write(socket, data), outcome: sockets.written });

/// Reads; yields at least one byte, or none if the peer has closed its side.
export const read = (socket, most = 65536) => ({ number: sockets.read(socket, most), outcome: sockets.received });

/// Gives up an operation that was submitted: it is never announced.
export const giveUp = (operation) => operations.cancel(operation.number);

// The exports.

/// Builds the export `action` of a plugin's module from the actions it offers.
export function plugin(name, version, ...actions) {
  const steps = [];
  const tasks = [];

  /// Ends a task that has thrown. An exception ends this task only, not the interpreter that all tasks share.
  function failed(thrown) {
    if (thrown instanceof Failure) {
      if (thrown.detail !== undefined) report.fail(thrown.kind, thrown.detail);
      return 'failed';
    }
    for (const line of `${thrown}\n${thrown?.stack ?? ''}`.trimEnd().split('\n')) log.write('error', line);
    report.fail('plugin', `${thrown}`);
    return 'failed';
  }

  /// Keeps the operation that a task waits for; `ended` are the operations that have completed before they were
  /// yielded.
  function pending(task, run, step, ended) {
    if (step.done) {
      tasks[task] = undefined;
      return 'passed';
    }
    tasks[task] = { run, operation: step.value, ended };
    return 'pending';
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
      try {
        const Action = actions.find(({ action }) => action.name === name);
        return steps.push(new Action(JSON.parse(params))) - 1;
      } catch (thrown) {
        if (thrown instanceof ConfigError) throw { pointer: thrown.pointer, message: thrown.message, help: thrown.help };
        throw { pointer: '', message: `the plugin failed: ${thrown}`, help: undefined };
      }
    },

    start(step, task) {
      try {
        const run = steps[step].run();
        return pending(task, run, run.next(), undefined);
      } catch (thrown) {
        return failed(thrown);
      }
    },

    resume(task, operation) {
      const { run, operation: awaited, ended } = tasks[task];
      if (operation !== awaited.number) {
        tasks[task].ended = (ended ?? new Set()).add(operation);
        return 'pending';
      }
      try {
        let step = { value: awaited };
        do {
          let value;
          try {
            value = step.value.outcome(step.value.number);
          } catch (error) {
            step = run.throw(new Failure(payload(error)));
            continue;
          }
          step = run.next(value);
        } while (!step.done && ended?.delete(step.value.number));
        return pending(task, run, step, ended);
      } catch (thrown) {
        tasks[task] = undefined;
        return failed(thrown);
      }
    },

    cancel(task) {
      tasks[task] = undefined;
    },

    forgetUser(user) {
      for (const Action of actions) Action.forgetUser?.(user);
    },
  };
}
