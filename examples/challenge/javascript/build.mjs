// Builds a component of a module: `node build.mjs challenge.js ../../../wit challenge-javascript.wasm`.

import { componentize } from '@bytecodealliance/componentize-js';
import { writeFile } from 'node:fs/promises';

const [sourcePath, witPath, out] = process.argv.slice(2);
// Leaves out the engine's own requests, whose promises would never settle. The load runner gives it a clock.
const disableFeatures = ['http', 'fetch-event'];
const { component } = await componentize({ sourcePath, witPath, worldName: 'plugin', disableFeatures });
await writeFile(out, component);
