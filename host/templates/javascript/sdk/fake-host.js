// A fake load runner, so that an action is tested natively, without building a component: with `node --test`.
//
//   import test from 'node:test';
//   import assert from 'node:assert';
//   import { plugin, reply, run } from './sdk/fake-host.js';
//
//   const { action } = await plugin(new URL('./action.js', import.meta.url));
//
//   test('a page with the text passes', () => {
//     const ran = run(action, { url: '/hello', text: 'hello' }, { replies: [reply(200, 'hello Ann')] });
//     assert.equal(ran.failure, undefined);
//     assert.equal(ran.requests[0].url, '/hello');
//   });
//
// Time is virtual. Templates are rendered with the variables of the run alone; other helpers stay as they are. What only
// the real load runner knows, such as limits, is tested by `stampede-shooter plugin test`.

import { register } from 'node:module';

/// The functions of the contract that the helper imports.
const IMPORTS = {
  http: ['prepare', 'send', 'sendDynamic', 'reply', 'header', 'body'],
  lifetime: ['lasts', 'connections', 'ending'],
  log: ['write'],
  operations: ['cancel'],
  report: ['fail', 'define', 'add'],
  sockets: ['connect', 'connected', 'read', 'received', 'write', 'written', 'secure', 'secured', 'close'],
  streams: ['open', 'head', 'arrived', 'read', 'received', 'leave'],
  task: ['turn', 'activeTime'],
  templates: ['compile', 'render'],
  timer: ['sleep', 'now'],
  transfers: ['defineRow', 'begin', 'progress', 'times', 'fingerprint', 'leave'],
  user: ['id', 'iteration', 'variable', 'setVariable', 'setHeader', 'random'],
};

// Modules of the contract become modules whose functions call the host of the run under way.
const hooks = `
  const imports = ${JSON.stringify(IMPORTS)};
  const named = (url) => /^stampede:plugin\\/([a-z]+)@/.exec(url)?.[1];
  export const resolve = (url, context, next) =>
    named(url) ? { url, shortCircuit: true } : next(url, context);
  export function load(url, context, next) {
    const name = named(url);
    if (!name) return next(url, context);
    const call = (each) => 'export const ' + each + ' = (...all) => globalThis.stampedeHost.' + name + '.' + each + '(...all);';
    return { format: 'module', source: imports[name].map(call).join('\\n'), shortCircuit: true };
  }
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

/// Loads a plugin's module.
export const plugin = (url) => import(url);

const bytes = (data) => (typeof data === 'string' ? new TextEncoder().encode(data) : data);

/// Returns a reply of the target, after some seconds.
export const reply = (status = 200, body = '', { headers = {}, after = 0 } = {}) => ({
  status, body: bytes(body), headers, after,
});

/// Returns the end of a request or a connect that fails in this way.
export const failed = (failure = 'network', after = 0) => ({ failure, after });

/// The place in the answers of a peer at which the action begins TLS.
export const SECURE = Symbol('TLS');

/// Returns the other end of a socket: what each read gets, and then the end. `SECURE` among them waits for TLS.
export const peer = (...answers) => ({
  answers: answers.map((answer) => (answer === SECURE ? answer : bytes(answer))), after: 0,
});

function host({ replies = [], peers = [], variables = {}, endsAfter }) {
  const ran = {
    // The kind and the detail of a failure, if there is one.
    failure: undefined, requests: [], written: [], open: [], log: [], metrics: {}, variables: { ...variables }, elapsed: 0,
    // The row and the URL of each transfer, in the order sent; the row is that in which it was left, if it was.
    transfers: [],
  };
  const [templates, prepared, metrics, sockets] = [[], [], [], []];
  const state = { ran, now: 0, operations: [], waiting: [], drawn: 0n };
  const keep = (list) => (value) => list.push(value) - 1;
  const submit = (outcome, after = 0) => {
    state.waiting.push({ due: state.now + after, number: state.operations.length });
    return state.operations.push(outcome) - 1;
  };
  const outcome = (number) => {
    const value = state.operations[number];
    if (value?.failure) throw value.failure;
    return value;
  };
  const next = (list, what) => {
    if (list.length === 0) throw new Error(`the test has no ${what} left`);
    return list.shift();
  };
  const [answers, others] = [[...replies], [...peers]];
  const render = (number) => templates[number].replace(/{{var (\w+)}}/g, (_, name) => ran.variables[name] ?? '');
  const send = (request) => {
    ran.requests.push(request);
    const answer = next(answers, 'reply');
    return submit(answer, answer.after);
  };
  const sendPrepared = (number) => {
    const { method, url, query, headers, body } = prepared[number];
    const pairs = (list) => list.map(([name, text]) => [name, render(text)]);
    const content = body.val === undefined ? '' : render(body.val);
    return send({ method, url: render(url), query: pairs(query), headers: pairs(headers), body: content });
  };
  const [rows, begun] = [[], new Map()];
  const isUnderWay = (number) => state.waiting.some((each) => each.number === number);
  const nanoseconds = (seconds) => BigInt(Math.round(seconds * 1e9));
  const functions = {
    lifetime: {
      lasts: () => {},
      connections: () => {},
      ending: () => {
        const number = submit(undefined, (endsAfter ?? 0) - state.now);
        if (endsAfter === undefined) state.waiting.pop();
        return number;
      },
    },
    transfers: {
      defineRow: keep(rows),
      begin: ({ method, url, headers, body }, row) => {
        const number = send({ method, url, query: [], headers, body });
        begun.set(number, ran.transfers.push([rows[row], url]) - 1);
        return number;
      },
      // All of a reply comes at its end.
      progress: (number) => {
        const { body, failure } = state.operations[number];
        if (isUnderWay(number) || failure) return { headed: undefined, content: 0n };
        return { headed: nanoseconds(state.now), content: BigInt(body.length) };
      },
      times: () => ({ start: 0n, headed: nanoseconds(state.now), end: nanoseconds(state.now), fresh: false }),
      fingerprint: (number) => {
        const add = (sum, byte) => BigInt.asUintN(64, sum * 0x100000001b3n + BigInt(byte));
        return state.operations[number].body.reduce(add, 0xcbf29ce484222325n);
      },
      leave: (number, row) => {
        if (!isUnderWay(number)) return;
        state.waiting = state.waiting.filter((each) => each.number !== number);
        ran.transfers[begun.get(number)][0] = rows[row];
      },
    },
    http: {
      prepare: keep(prepared),
      send: sendPrepared,
      sendDynamic: ({ method, url, headers, body }) => send({ method, url, query: [], headers, body }),
      reply: (number) => {
        const { status, body, after } = outcome(number);
        return { status, bodyBytes: BigInt(body.length), duration: BigInt(Math.round(after * 1e9)) };
      },
      header: (number, name) => state.operations[number].headers[name.toLowerCase()],
      body: (number) => state.operations[number].body,
    },
    log: { write: (level, line) => void ran.log.push([level, line]) },
    operations: { cancel: () => {} },
    report: {
      fail: (kind, detail) => void (ran.failure ??= { kind, detail }),
      define: (name) => keep(metrics)(name),
      add: (metric, value) => void (ran.metrics[metrics[metric]] ??= []).push(value),
    },
    sockets: {
      connect: () => {
        const other = next(others, 'peer');
        if (other.failure) return submit(other, other.after);
        ran.written.push([]);
        ran.open.push(true);
        return submit(sockets.push({ answers: [...other.answers] }) - 1);
      },
      connected: outcome,
      read: (socket) => {
        if (sockets[socket].answers[0] === SECURE) throw new Error('the peer waits for TLS, and the action reads');
        return submit(sockets[socket].answers.shift() ?? new Uint8Array());
      },
      secure: (socket) => {
        const { answers } = sockets[socket];
        if (answers[0] === SECURE) return submit(void answers.shift());
        ran.open[socket] = false;
        return submit({ failure: answers.length > 0 ? 'protocol' : 'network' });
      },
      secured: outcome,
      received: outcome,
      write: (socket, data) => {
        ran.written[socket].push(...data);
        return submit(undefined);
      },
      written: outcome,
      close: (socket) => void (ran.open[socket] = false),
    },
    streams: {
      open: sendPrepared,
      head: (exchange) => submit(state.operations[exchange].failure ? state.operations[exchange] : state.operations[exchange].status),
      arrived: outcome,
      read: (exchange) => {
        const answer = state.operations[exchange];
        const content = answer.taken ? new Uint8Array() : answer.body;
        answer.taken = true;
        return submit(content);
      },
      received: outcome,
      leave: () => {},
    },
    task: { turn: () => undefined, activeTime: () => BigInt(Math.round(state.now * 1e9)) },
    templates: { compile: keep(templates), render },
    timer: {
      sleep: (nanoseconds) => submit(undefined, Number(nanoseconds) / 1e9),
      now: () => BigInt(Math.round(state.now * 1e9)),
    },
    user: {
      id: () => 0,
      iteration: () => 0n,
      variable: (name) => ran.variables[name],
      setVariable: (name, value) => void (ran.variables[name] = value),
      setHeader: () => {},
      random: () => BigInt.asUintN(64, ++state.drawn * 0x9e3779b97f4a7c15n),
    },
  };
  return { state, functions };
}

/// Configures a step of a plugin's only action, or of the one with that name, and runs it once for one user. Throws
/// `{ pointer, message, help }` if the step is refused.
export function run(exported, params, { timeout = 30, action, ...given } = {}) {
  const { state, functions } = host(given);
  globalThis.stampedeHost = functions;
  const kept = [{ ...console }, Math.random, globalThis.fetch, globalThis.setTimeout, globalThis.setInterval,
    globalThis.setImmediate, globalThis.queueMicrotask];
  try {
    const name = action ?? exported.describe().actions[0].name;
    let progress = exported.start(exported.configure(name, JSON.stringify(params)), 0);
    while (progress === 'pending' && state.waiting.length > 0) {
      state.waiting.sort((one, other) => one.due - other.due || one.number - other.number);
      const { due, number } = state.waiting.shift();
      if (due > timeout) break;
      state.now = Math.max(state.now, due);
      progress = exported.resume(0, number);
    }
    if (progress === 'pending') {
      exported.cancel(0);
      state.now = timeout;
      state.ran.failure = { kind: 'timeout', detail: undefined };
    } else if (progress === 'failed') {
      const found = state.operations.findLast((value) => value?.failure);
      state.ran.failure ??= { kind: found?.failure ?? 'plugin', detail: undefined };
    }
  } finally {
    Object.assign(console, kept[0]);
    [, Math.random, globalThis.fetch, globalThis.setTimeout, globalThis.setInterval, globalThis.setImmediate,
      globalThis.queueMicrotask] = kept;
  }
  state.ran.elapsed = state.now;
  return state.ran;
}
