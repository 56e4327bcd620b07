// Writes a saved page of a made run: `node dist/tool.mjs TEMPLATE OUT ROWS SECONDS [LABELS as JSON [REQUESTS PER SECOND]]`.

import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { lines } from "./made_run";

const [template, out, rows, seconds, labels, rate] = process.argv.slice(2);
const run = { rows: Number(rows), seconds: Number(seconds), requestsPerSecond: Number(rate ?? 20), ...(labels ? { labels: JSON.parse(labels) as string[] } : {}) };
const data = gzipSync([...lines(run)].join("\n"), { level: 6 }).toString("base64");
const embedded = JSON.stringify({ encoding: "gzip+base64", data });
writeFileSync(out!, readFileSync(template!, "utf8").replace('id="run"></script>', () => `id="run">${embedded}</script>`));
