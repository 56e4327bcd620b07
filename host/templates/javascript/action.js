// The `{{action}}` action: fetches a page and expects a status and a text.

import { ConfigError, Failure, options, plugin, render, request, send, template } from './sdk/stampede.js';

const TEXT = ['string', 'number', 'boolean'];

class Page {
  static action = {
    name: '{{action}}',
    summary: 'fetches a page and expects a text in it',
    // The step's own keys. `stampede-shooter plugins --script script.yml` shows their descriptions.
    schema: {
      type: 'object',
      properties: {
        url: { type: TEXT, description: "The page, absolute or relative to the script's `base_url`." },
        status: { type: 'integer', default: 200, description: 'The expected status; 200 if absent.' },
        text: { type: TEXT, description: 'The text that the page must contain.' },
      },
      required: ['url', 'text'],
      additionalProperties: false,
    },
  };

  /// Checks the parameters, once per step, before the run.
  constructor(params) {
    this.status = params.status ?? 200;
    if (!Number.isInteger(this.status) || this.status < 100 || this.status > 599) {
      throw new ConfigError(`\`status\` must be from 100 to 599, got ${this.status}`, 'status');
    }
    this.text = template(params, 'text');
    // The body is kept because `run` searches it.
    this.page = request('GET', template(params, 'url'), { how: options({ keepBody: true }) });
  }

  /// Runs the step for one user. A failure that the load runner found, such as a refused connection, ends it at
  /// `yield`.
  *run() {
    const text = render(this.text);
    const reply = yield send(this.page);
    if (reply.status !== this.status) {
      throw new Failure('status', `expected status ${this.status}, got ${reply.status}`);
    }
    if (!reply.text().includes(text)) throw new Failure('check', `expected \`${text}\` in the page`);
  }
}

export const action = plugin('{{action}}', '0.1.0', Page);
