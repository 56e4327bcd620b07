// Makes logs of runs that never happened, of any length and number of rows, for tests and for a look at the page.

import { binOf } from "../src/histogram";
import type { DurationStats, End, Hello, Report, RowReport, Tick } from "../src/log";

export interface MadeRun {
  rows: number;
  seconds: number;
  /** Labels of the first rows; the others get names of their own. */
  labels?: string[];
  /** Seconds that a tick covers. */
  span?: number;
  requestsPerSecond?: number;
}

/** A generator of numbers between 0 and 1 that is the same each time. */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export function hello(run: MadeRun): Hello {
  const rows = Array.from({ length: Math.min(run.rows, 200) }, (_, at) => ({ label: run.labels?.[at] ?? `Step ${at + 1}`, action: "http" }));
  return {
    type: "hello", schema: "stampede-page/1", tool_version: "0.1.0", started_at_ms: 1_790_000_000_000,
    script: "shop.yml", base_url: "http://127.0.0.1:8080/", users: 100, workers: 2, seed: 1,
    planned_s: run.seconds, warm_up_s: 0,
    scenarios: [{ name: null, model: "constant", load: "100 users", users: 100 }],
    rows: run.rows > 200 ? [...rows, { label: `${run.rows - 200} more actions`, action: "", rows: run.rows - 200 }] : rows,
    categories: ["timeout", "status", "network", "check", "protocol", "redirects", "plugin", "unfinished", "cancelled"],
    phases: ["dns", "connect", "tls", "first byte", "receive"],
    thresholds: [{ metric: "http_duration", expression: "p(95)<200ms", unit: "microseconds" }, { metric: "http_failed", expression: "rate<0.01", unit: "share" }],
    max_open_files: 20_000,
    ladder: [{ seconds: 1, buckets: 600 }, { seconds: 5, buckets: 360 }, { seconds: 30, buckets: 360 }, { seconds: 300, buckets: 576 }, { seconds: 3600, buckets: 720 }],
    control: false,
  };
}

/** Returns a histogram of `count` times around `middle`, on the wire. */
export function wire(random: () => number, count: number, middle: number): number[] {
  const bins = new Map<number, number>();
  for (let at = 0; at < count; at += 1) {
    const hump = random() < 0.15 ? 4 : 1;
    const time = middle * hump * Math.exp((random() + random() + random() - 1.5) * 0.8);
    const bin = binOf(Math.max(1, Math.round(time)));
    bins.set(bin, (bins.get(bin) ?? 0) + 1);
  }
  let before = 0;
  return [...bins].sort(([a], [b]) => a - b).flatMap(([bin, counted]) => {
    const delta = bin - before;
    before = bin;
    return [delta, counted];
  });
}

export function tick(run: MadeRun, second: number, random: () => number): Tick {
  const span = run.span ?? 1;
  const rows = Math.min(run.rows, 201);
  const load = Math.min(1, (second + span) / Math.max(1, run.seconds * 0.7));
  const each = Math.max(1, Math.round(((run.requestsPerSecond ?? 20) * span * load) / rows));
  const middle = 9_000 * (1 + 6 * Math.max(0, load - 0.75) ** 2 * 16);
  const list = Array.from({ length: rows }, (_, row) => row);
  const failed = list.map((row) => (row % 3 === 1 && random() < 0.4 ? 1 : 0));
  const all = each * rows;
  const times = list.map((row) => wire(random, each, middle * (1 + (row % 5) / 3)));
  return {
    type: "tick", first: second, last: second + span - 1, at_ms: second * 1000, end_ms: (second + span) * 1000,
    segment: 1, users: Math.round(100 * load), paused: false,
    rows: list, ok: list.map((row) => each - failed[row]!), err: failed,
    bytes_out: list.map(() => each * 220), bytes_in: list.map(() => each * 1800),
    max_us: list.map(() => Math.round(middle * 8)), lengths: times.map((row) => row.length), response: times.flat(),
    errors: list.flatMap((row) => (failed[row] ? [row, row % 2, 1] : [])),
    statuses: list.flatMap((row) => [row, failed[row] ? 503 : 200, each]),
    tasks: [all, all - 1, 1, 0, load === 1 && second % 7 === 0 ? 3 : 0],
    service: wire(random, Math.min(all, 60), middle * 0.8),
    phases: [wire(random, 3, 300), wire(random, 3, 500), [], wire(random, Math.min(all, 40), middle * 0.7), wire(random, Math.min(all, 40), 400)],
    start_delay: wire(random, 20, 80), cpu: [0.4 + 0.5 * load, 0.35 + 0.4 * load * random()],
    cpu_wait: 0, loop_lag_us: Math.round(800 * random()),
    connections: Math.round(100 * load), memory: 40_000_000 + second * 1_000, open_files: Math.round(120 * load), traps: 0,
    saturated: load > 0.95 && second % 40 < 4,
    thresholds: [{ holds: second === 0 ? null : true, value: second === 0 ? null : 22_000, at_least: true }, { holds: false, value: 0.125, at_least: false }],
    marks: second === 0 ? [{ at_ms: 0, text: "load" }] : second === Math.floor(run.seconds / 2) ? [{ at_ms: second * 1000, text: "load × 1.5" }] : [],
    examples: second === 4 && rows > 1 ? [{ at_ms: 4000, row: 1, category: 1, text: "status 503, expected 200" }] : [],
  };
}

function stats(scale: number, count: number): DurationStats {
  const time = (share: number): number => Math.round(scale * share);
  return { count, cut_off: 0, at_least: [], min: time(0.4), mean: scale, stddev: scale / 2, p50: time(1), p75: time(1.3), p90: time(1.9), p95: time(2.4), p99: time(4.1), p99_9: time(6), max: time(8) };
}

export function end(run: MadeRun): End {
  const row = (label: string, at: number | null): RowReport => ({
    scenario: null, name: label, action: at === null ? null : "http",
    tasks: { started: 1000, passed: 990, failed: 10, cancelled: 0, dropped: 0 },
    requests: { total: 1000, ok: 990, err: 10, rps: 1000 / run.seconds },
    bytes: { out: 220_000, in: 1_800_000, body_in: 1_700_000 }, statuses: { "200": 990, "503": 10 },
    errors: [{ category: "status", count: 10, share: 0.01, example: { name: label, text: "status 503, expected 200" } }],
    response_time_us: stats(9_000 + (at ?? 0), 1000), service_time_us: stats(8_000, 1000),
    phases_us: { dns: null, connect: stats(300, 10), tls: null, first_byte: stats(7_000, 1000), receive: stats(400, 1000) },
  });
  const threshold = { at_least: false, at_s: null, aborted: false };
  const report: Report = {
    schema: "stampede-report/1", settings: { script: "shop.yml" },
    run: { started_at: "2026-01-01T00:00:00Z", elapsed_us: run.seconds * 1e6, load_us: run.seconds * 1e6, ended: "duration", warm_up_requests: 0 },
    totals: row("Totals", null),
    actions: Array.from({ length: run.rows }, (_, at) => row(run.labels?.[at] ?? `Step ${at + 1}`, at)),
    thresholds: [
      { ...threshold, metric: "http_duration", expression: "p(95)<200ms", passed: true, value: 61_000, limit: 200_000, unit: "microseconds" },
      { ...threshold, metric: "http_failed", expression: "rate<0.01", passed: false, value: 0.0132, limit: 0.01, unit: "share" },
    ],
    checks: [], metrics: [],
    generator: {
      bottleneck: false, reasons: [],
      workers: [{ cpu_share: 0.61, busy_share: 0.02, cpu_wait_us: 12_000, loop_lag_max_us: 2_100 }],
      guests: [{ plugin: "http", calls: 4000, time_us: 9_000, traps: 0, collateral: 0 }],
    },
  };
  return { type: "end", report };
}

/** Returns the lines of a log; with spans as the ladder of a program has them. */
export function* lines(run: MadeRun): Generator<string> {
  const random = numbers(7);
  yield JSON.stringify(hello(run));
  const fine = Math.max(0, run.seconds - 600);
  const spans: [number, number][] = run.span ? [[run.seconds, run.span]] : [[Math.max(0, fine - 10_800 - 1_800), 300], [Math.max(0, fine - 1_800), 30], [fine, 5], [run.seconds, 1]];
  let second = 0;
  for (const [until, span] of spans) {
    for (; second + span <= until; second += span) yield JSON.stringify(tick({ ...run, span }, second, random));
  }
  yield JSON.stringify(end(run));
}
