// Unit tests of the actions that `plugin new` writes, against the fake load runner.

import assert from 'node:assert';
import test from 'node:test';
import { failed, peer, plugin, reply, run } from './sdk/fake-host.js';

const load = async (file) => (await plugin(new URL(file, import.meta.url))).action;
const page = await load('./action.js');
const line = await load('./line.js');
const watch = await load('./watch.js');

test('a page with the text passes', () => {
  const given = { replies: [reply(200, 'hello Ann', { after: 0.25 })], variables: { who: 'Ann' } };
  const ran = run(page, { url: '/hello', text: 'hello {{var who}}' }, given);
  assert.equal(ran.failure, undefined);
  assert.deepEqual([ran.requests[0].url, ran.elapsed], ['/hello', 0.25]);
});

test('others fail', () => {
  const params = { url: '/', text: 'x' };
  const expected = { kind: 'status', detail: 'expected status 200, got 404' };
  assert.deepEqual(run(page, params, { replies: [reply(404)] }).failure, expected);
  assert.equal(run(page, params, { replies: [failed()] }).failure.kind, 'network');
  assert.throws(() => run(page, { ...params, status: 1 }), { pointer: '/status' });
});

test('a line may come in pieces, and its socket is closed', () => {
  const params = { address: 'a:1', send: 'hi', expect: 'wel' };
  const ran = run(line, params, { peers: [peer('we', 'lcome\r\n')] });
  assert.deepEqual([ran.failure, ran.open], [undefined, [false]]);
  assert.equal(Buffer.from(ran.written[0]).toString(), 'hi\r\n');
  assert.equal(run(line, params, { peers: [peer('we')] }).failure.kind, 'network');
});

test('a stream is read until the text comes', () => {
  const ran = run(watch, { url: '/e', until: 'tick' }, { replies: [reply(200, 'data: tick')] });
  assert.equal(ran.failure, undefined);
});

test('a session counts itself when its user\'s time ends', async () => {
  const sdk = await import('./sdk/stampede.js');
  class Session {
    static action = { name: 'session', summary: 'watches', schema: {} };

    constructor() {
      sdk.lasts(600);
      this.segment = sdk.row('segment');
      this.left = sdk.row('left', { byDesign: true });
      this.watched = sdk.metric('watched', 'trend', 'nanoseconds');
    }

    *run() {
      sdk.ending();
      const underWay = sdk.begin(this.segment, 'GET', '/a');
      try {
        yield underWay;
      } catch (thrown) {
        if (!(thrown instanceof sdk.Ended)) throw thrown;
        sdk.leaveIn(this.left, underWay);
      }
      sdk.report.add(this.watched, sdk.now() * 1e9);
    }
  }
  const session = sdk.plugin('session', '0.1.0', Session);
  for (const [endsAfter, row, watched] of [[10, 'left', 1e10], [undefined, 'segment', 2e10]]) {
    const ran = run(session, {}, { replies: [reply(200, 'a', { after: 20 })], endsAfter });
    assert.deepEqual([ran.failure, ran.transfers, ran.metrics], [undefined, [[row, '/a']], { watched: [watched] }]);
  }
});
