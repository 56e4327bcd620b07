// The type declarations of the helper name what it exports.
import assert from 'node:assert';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import * as host from './sdk/fake-host.js';

test('the declarations have the names of the helper, and functions their numbers of parameters', async () => {
  assert.ok(host.run);
  const helper = await import('./sdk/stampede.js');
  const declared = new Map();
  const text = readFileSync('sdk/stampede.d.ts', 'utf8');
  for (const [, name] of text.matchAll(/^export (?:class|const) (\w+)/gm)) declared.set(name, undefined);
  for (const [, name, parameters] of text.matchAll(/^export function (\w+)\(([^)]*)\)/gm)) {
    const required = parameters.split(/,(?![^{]*\})/).filter((each) => each.trim() && !/^\s*(\w+\?:|\.\.\.)/.test(each));
    declared.set(name, required.length);
  }
  assert.deepEqual([...declared.keys()].sort(), Object.keys(helper).sort());
  for (const [name, required] of declared) {
    // An optional parameter without a default counts in `length`; no function has two of them.
    if (required !== undefined) assert.ok([required, required + 1].includes(helper[name].length), name);
  }
});
