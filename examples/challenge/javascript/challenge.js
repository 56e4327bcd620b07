// The `challenge-javascript` action: asks for a nonce, and answers with its checksum under a shared key.

import { ConfigError, Failure, options, plugin, render, request, send, sendNow, template } from './stampede.js';

const TEXT = ['string', 'number', 'boolean'];
const SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: {
    url: { type: TEXT, description: 'The URL that gives the nonce (GET) and takes the answer (POST).' },
    key: { type: TEXT, description: 'The shared key.' },
    digits: {
      type: 'integer',
      default: 8,
      description: 'The number of digits of the checksum to send, 1 to 8; all if absent.',
    },
  },
  required: ['url', 'key'],
  additionalProperties: false,
};

const encoder = new TextEncoder();

/// Computes FNV-1a (32 bits).
function checksum(data) {
  let value = 0x811c9dc5;
  for (const byte of data) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}

class Challenge {
  static action = { name: 'challenge-javascript', summary: 'answers a challenge, in JavaScript', schema: SCHEMA };

  constructor(params) {
    this.digits = params.digits ?? 8;
    if (!Number.isInteger(this.digits) || this.digits < 1 || this.digits > 8) {
      throw new ConfigError(`\`digits\` must be from 1 to 8, got ${this.digits}`, 'digits');
    }
    this.url = template(params, 'url');
    this.key = template(params, 'key');
    this.ask = request('GET', this.url, { how: options({ keepBody: true }) });
    this.how = options();
  }

  *run() {
    const asked = yield send(this.ask);
    if (asked.status !== 200) throw new Failure('status', `expected a nonce with status 200, got ${asked.status}`);
    const nonce = asked.text();
    if (nonce === '') throw new Failure('protocol', 'the nonce is empty');
    const sum = checksum(encoder.encode(nonce + render(this.key))).toString(16).padStart(8, '0');
    const answer = `${nonce} ${sum.slice(0, this.digits)}`;
    const answered = yield sendNow('POST', render(this.url), { body: encoder.encode(answer), how: this.how });
    if (answered.status === 403) throw new Failure('check', 'the answer was refused');
    if (answered.status !== 204) throw new Failure('status', `expected status 204, got ${answered.status}`);
  }
}

export const action = plugin('challenge-javascript', '0.1.0', Challenge);
