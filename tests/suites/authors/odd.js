// The `odd` action: does what its parameter `how` names, most of which a plugin cannot do.

import {
  Ended, Failure, begin, close, connect, ending, hostAndPort, isoNow, lasts, leaveIn, metric, now, plugin, progress, random,
  readExact, readUntil, report, row, secure, sleep, user, write,
} from './sdk/stampede.js';
import { base64, hex, hmac, md5, sha1, sha256 } from './sdk/hash.js';

function lookup(key) {
  return { something: { value: 1 } }[key].value;
}

const assert = (held, what) => {
  if (!held) throw new Error(`not so: ${what}`);
};

const ways = {
  *exception() {
    yield sleep(0.001);
    lookup('nothing');
  },
  *early() {
    lookup('nothing');
    yield sleep(0.001);
  },
  *prints() {
    console.log('printed', 1, 'and', { a: 2 });
    console.error('to stderr');
    console.warn('two\nlines');
    yield sleep(0.001);
  },
  *clocks() {
    const [began, at] = [Date.now(), now()];
    // In `plugin test`, time begins in 1970.
    assert(began > 1.7e12 || began < 60000, began);
    yield sleep(0.25);
    assert(Date.now() - began >= 249 && Date.now() - began < 60000, Date.now() - began);
    assert(now() - at >= 0.25 && now() - at < 60, now() - at);
    assert(isoNow().startsWith(`${new Date(began).getUTCFullYear()}-`), isoNow());
  },
  *hashes() {
    const signed = hex(hmac(sha256, 'key', 'The quick brown fox jumps over the lazy dog'));
    assert(signed === 'f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8', signed);
    assert(hex(md5('')) === 'd41d8cd98f00b204e9800998ecf8427e', hex(md5('')));
    assert(hex(sha1('abc')) === 'a9993e364706816aba3e25717850c26c9cd0d89d', hex(sha1('abc')));
    assert(base64('user:pass') === 'dXNlcjpwYXNz', base64('user:pass'));
    yield sleep(0.001);
  },
  *random() {
    console.log('drew', user.id(), [Math.random(), random(), Math.random()]);
    yield sleep(0.001);
  },
  *fetches() {
    yield sleep(0.001);
    fetch('http://site/');
  },
  *times() {
    yield sleep(0.001);
    setTimeout(() => {}, 1);
  },
  async waits() {
    await sleep(0.001);
  },
  *yieldsANumber() {
    yield 5;
  },
  *yieldsAGenerator() {
    yield ways.clocks();
  },
  *recurses() {
    yield sleep(0.001);
    const deeper = () => deeper() + 1;
    deeper();
  },
  *fails() {
    yield sleep(0.001);
    throw new Failure('check', 'as it was told');
  },
  *silentPeer(port) {
    const socket = yield connect('127.0.0.1', port);
    yield* readExact(socket, 1);
  },
  *breaksWithASocket(port) {
    yield connect('127.0.0.1', port);
    lookup('nothing');
  },
  *mail(port) {
    const peer = yield connect('127.0.0.1', port);
    const text = (line) => String.fromCharCode(...line);
    let line;
    for (const command of ['', 'EHLO client\r\n', 'STARTTLS\r\n']) {
      if (command) yield write(peer, new TextEncoder().encode(command));
      do line = text(yield* readUntil(peer, '\r\n'));
      while (line[3] === '-');
    }
    assert(line === '220 go ahead\r\n', line);
    yield secure(peer);
    yield write(peer, new TextEncoder().encode('EHLO client\r\n'));
    line = text(yield* readUntil(peer, '\r\n'));
    assert(line === '250 mail.test\r\n', line);
    close(peer);
  },
  // Loads a segment, and leaves it when the user's time ends.
  *session(_, { segment, left, watched }) {
    ending();
    const underWay = begin(segment, 'GET', 'http://site/segment');
    try {
      const reply = yield underWay;
      assert(reply.times().end > reply.times().headed && reply.size === 24n, reply.size);
    } catch (thrown) {
      if (!(thrown instanceof Ended)) throw thrown;
      const { content } = progress(underWay);
      assert(content > 0n && content < 24n, content);
      leaveIn(left, underWay);
    }
    report.add(watched, now() * 1e9);
  },
  *lines(port) {
    const socket = yield connect('127.0.0.1', port);
    yield write(socket, new TextEncoder().encode('GET /bytes/5 HTTP/1.1\r\nhost: a\r\n\r\n'));
    let line = new TextDecoder().decode(yield* readUntil(socket, '\r\n'));
    assert(line === 'HTTP/1.1 200 OK\r\n', line);
    while (line !== '\r\n') line = new TextDecoder().decode(yield* readUntil(socket, '\r\n'));
    assert((yield* readExact(socket, 5)).length === 5, 'five bytes');
    close(socket);
    assert(`${hostAndPort('[::1]:25')}` === '::1,25', hostAndPort('[::1]:25'));
  },
};

class Odd {
  static action = {
    name: 'odd',
    summary: 'does what `how` names',
    schema: {
      type: 'object',
      properties: { how: { type: 'string' }, port: { type: 'integer' } },
      required: ['how'],
      additionalProperties: false,
    },
  };

  constructor({ how, port }) {
    if (how === 'configure') lookup('nothing');
    if (how === 'session') {
      lasts(600);
      const watched = metric('watched', 'trend', 'nanoseconds');
      this.rows = { segment: row('segment'), left: row('left', { byDesign: true }), watched };
    }
    this.how = how.replace(/ (.)/g, (_, letter) => letter.toUpperCase());
    this.port = port;
  }

  run() {
    return ways[this.how](this.port, this.rows);
  }
}

export const action = plugin('odd', '0.1.0', Odd);
