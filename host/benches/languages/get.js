// The `get-javascript` action: one prepared request, and a check of its status. The rest is the cost of the language.

import { Failure, plugin, request, send, template } from './stampede.js';

class Get {
  static action = {
    name: 'get-javascript',
    summary: 'sends a request',
    schema: { type: 'object', properties: { url: { type: 'string' } }, required: ['url'] },
  };

  constructor(params) {
    this.request = request('GET', template(params, 'url'));
  }

  *run() {
    const reply = yield send(this.request);
    if (reply.status !== 200) throw new Failure('status', `expected status 200, got ${reply.status}`);
  }
}

export const action = plugin('get-javascript', '0.1.0', Get);
