// Builds a component of a module: `node build.mjs action.js sdk/wit {{crate}}.wasm`.

import { componentize } from '@bytecodealliance/componentize-js';
import { writeFile } from 'node:fs/promises';

const [sourcePath, witPath, out] = process.argv.slice(2);
// Leaves out features that the load runner does not grant: a plugin prints, waits and draws numbers through the
// contract.
const disableFeatures = ['stdio', 'random', 'clocks', 'http', 'fetch-event'];
const { component } = await componentize({ sourcePath, witPath, worldName: 'plugin', disableFeatures });
await writeFile(out, component);
