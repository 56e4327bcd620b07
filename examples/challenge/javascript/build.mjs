// Builds a component of a module: `node build.mjs challenge.js ../../../wit challenge-javascript.wasm`.

import { componentize } from '@bytecodealliance/componentize-js';
import { writeFile } from 'node:fs/promises';

const [sourcePath, witPath, out] = process.argv.slice(2);
// What the load runner does not grant is left out: a plugin has its own ways to print, to wait and to draw numbers.
const disableFeatures = ['stdio', 'random', 'clocks', 'http', 'fetch-event'];
const { component } = await componentize({ sourcePath, witPath, worldName: 'plugin', disableFeatures });
await writeFile(out, component);
