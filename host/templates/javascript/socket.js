// The `{{action}}` action: sends a line over a socket and expects a text in the line that comes back.

import { Failure, close, connect, hostAndPort, plugin, readUntil, render, template, write } from './sdk/stampede.js';

const TEXT = ['string', 'number', 'boolean'];

class Line {
  static action = {
    name: '{{action}}',
    summary: 'sends a line and expects a text in the answer',
    // The step's own keys. `stampede-shooter plugins --script script.yml` shows their descriptions.
    schema: {
      type: 'object',
      properties: {
        address: { type: 'string', description: 'The peer as `HOST:PORT`.' },
        send: { type: TEXT, description: 'The line to send, without its end.' },
        expect: { type: TEXT, description: 'The text that the answer must contain.' },
      },
      required: ['address', 'send', 'expect'],
      additionalProperties: false,
    },
  };

  /// Checks the parameters, once per step, before the run.
  constructor(params) {
    [this.host, this.port] = hostAndPort(String(params.address));
    this.send = template(params, 'send');
    this.expect = template(params, 'expect');
  }

  /// Runs the step for one user. A failure that the load runner found, such as a refused connection, ends it at
  /// `yield`; then, and after a timeout, the helper closes the socket.
  *run() {
    const socket = yield connect(this.host, this.port);
    yield write(socket, new TextEncoder().encode(`${render(this.send)}\r\n`));
    const answer = new TextDecoder().decode(yield* readUntil(socket, '\r\n', 4096)).trimEnd();
    const expected = render(this.expect);
    close(socket);
    if (!answer.includes(expected)) throw new Failure('check', `expected \`${expected}\`, got \`${answer}\``);
  }
}

export const action = plugin('{{action}}', '0.1.0', Line);
