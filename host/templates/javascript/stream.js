// The `{{action}}` action: reads a reply as it arrives, such as an event stream, until a text is in it.

import { Failure, head, leave, openStream, plugin, readStream, render, request, template } from './sdk/stampede.js';

const TEXT = ['string', 'number', 'boolean'];

class Watch {
  static action = {
    name: '{{action}}',
    summary: 'reads a stream until a text comes',
    // The step's own keys. `stampede-shooter plugins --script script.yml` shows their descriptions.
    schema: {
      type: 'object',
      properties: {
        url: { type: TEXT, description: "The stream, absolute or relative to the script's `base_url`." },
        until: { type: TEXT, description: 'The text that ends the step.' },
      },
      required: ['url', 'until'],
      additionalProperties: false,
    },
  };

  /// Checks the parameters, once per step, before the run.
  constructor(params) {
    this.stream = request('GET', template(params, 'url'));
    this.until = template(params, 'until');
  }

  /// Runs the step for one user. A failure that the load runner found, such as a refused connection, ends it at
  /// `yield`.
  *run() {
    const until = render(this.until);
    const decoder = new TextDecoder();
    const stream = openStream(this.stream);
    const status = yield head(stream);
    if (status !== 200) throw new Failure('status', `expected status 200, got ${status}`);
    for (let content = ''; !content.includes(until); ) {
      const piece = yield readStream(stream);
      content += decoder.decode(piece, { stream: true });
      if (piece.length === 0 || content.length > 1 << 20) {
        throw new Failure('check', `the stream ended without \`${until}\``);
      }
    }
    // A stream without an end is cut off here, as intended.
    leave(stream);
  }
}

export const action = plugin('{{action}}', '0.1.0', Watch);
