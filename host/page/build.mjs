// Builds the page: one HTML file with its script and its style inside, and a content security policy that allows
// exactly these by their hashes. `node build.mjs dist/page.html`; with `--tests FOLDER` it compiles the tests.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const LIMIT = 150_000;
const here = dirname(fileURLToPath(import.meta.url));
process.chdir(here);

async function bundle(entry, loader) {
  const { outputFiles } = await build({
    entryPoints: [entry], bundle: true, minify: true, write: false, charset: "utf8", legalComments: "none",
    format: "iife", target: "es2022", loader,
  });
  return outputFiles[0].text.trim();
}

const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

async function page(path) {
  const script = (await bundle("src/main.ts")).replaceAll("</script", "<\\/script");
  const style = await bundle("src/all.css");
  const policy =
    `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; img-src data: blob:; ` +
    "connect-src 'self'; base-uri 'none'; form-action 'none'";
  const html = readFileSync("src/template.html", "utf8")
    .replace("@csp@", () => policy).replace("@style@", () => style).replace("@script@", () => script);
  const size = Buffer.byteLength(html);
  if (size > LIMIT) throw new Error(`the page has ${size} bytes, and may have ${LIMIT}`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, html);
  console.log(`${path}: ${size} bytes`);
}

async function tests(folder) {
  rmSync(folder, { recursive: true, force: true });
  const entryPoints = readdirSync("test").filter((file) => file.endsWith(".test.ts")).map((file) => join("test", file));
  await build({ entryPoints, bundle: true, platform: "node", format: "esm", outdir: folder, outExtension: { ".js": ".mjs" } });
}

const [first, second] = process.argv.slice(2);
await (first === "--tests" ? tests(second) : page(first));
