// The charts over time: which lines each has, and how a bucket gives their values.

import { TASK, longestOf, timesOf, type Bucket, type Part } from "./bucket";
import { bytes, count, latency } from "./format";
import { fromWire, quantile, quantiles, total } from "./histogram";
import type { Store } from "./store";
import type { ChartSpec, Limit, Line } from "./time_chart";

const PERCENTILES: readonly [string, number, string][] = [
  ["p50", 0.5, "--c1"],
  ["p90", 0.9, "--c2"],
  ["p95", 0.95, "--c3"],
  ["p99", 0.99, "--c4"],
  ["p99.9", 0.999, "--c5"],
];

const known = [new WeakMap<Part, (number | null)[]>(), new WeakMap<Part, (number | null)[]>()] as const;

/** Returns the percentiles of a part, computed once for all rows of a bucket. */
function percentiles(part: Part, okOnly = false): (number | null)[] {
  const cache = known[okOnly ? 1 : 0];
  let values = cache.get(part);
  if (!values) {
    values = quantiles(timesOf(part, okOnly), PERCENTILES.map(([, share]) => share));
    cache.set(part, values);
  }
  return values;
}

const task = (at: number) => (bucket: Bucket) => (bucket.tick.tasks[at] ?? 0) / bucket.span;
const rate = (pick: (part: Part) => number) => (bucket: Bucket, row: number | null) =>
  pick(bucket.part(row)) / bucket.span;
const share = (value: number | null): string => (value === null ? "–" : `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`);

/** Users in a step at the end of each bucket: tasks that have begun and not ended, at most the users there are. */
export function inStep(store: Store): Map<Bucket, number> {
  let open = 0;
  const users = new Map<Bucket, number>();
  for (const bucket of store.buckets) {
    const { tasks } = bucket.tick;
    open += tasks[TASK.started]! - tasks[TASK.passed]! - tasks[TASK.failed]! - tasks[TASK.cancelled]! - tasks[TASK.dropped]!;
    users.set(bucket, Math.max(0, Math.min(open, bucket.tick.users)));
  }
  return users;
}

/** Returns the thresholds on the response times as lines. */
function limits(store: Store, row: number | null): Limit[] {
  const label = row === null ? null : store.hello?.rows[row]?.label;
  return (store.hello?.thresholds ?? []).flatMap((threshold, at) => {
    const condition = /^(p\([\d.]+\)|max|med|avg)\s*<=?\s*([\d.]+)\s*(us|µs|ms|s)\b/.exec(threshold.expression);
    const step = /\{.*step:\s*([^,}]+)/.exec(threshold.metric)?.[1]?.trim();
    const outcome = /\{.*outcome:\s*(\w+)/.exec(threshold.metric)?.[1] ?? "all";
    if (!condition || !threshold.metric.startsWith("http_duration") || outcome === "failed" || (step !== undefined && step !== label)) return [];
    const unit = { us: 1, µs: 1, ms: 1e3, s: 1e6 }[condition[3] as "us" | "µs" | "ms" | "s"];
    const [verdict, state] = [store.report?.thresholds[at], store.newest?.tick.thresholds[at]];
    const held = verdict ? (verdict.passed ? " – held" : " – did not hold") : state?.holds == null ? "" : state.holds ? " – holds" : " – does not hold";
    return [{ value: Number(condition[2]) * unit, text: `${threshold.expression}${held}` }];
  });
}

/** The categories that occurred, in their fixed order, as lines of a stack. */
function categories(store: Store): Line[] {
  const names = store.hello?.categories ?? [];
  return names.flatMap((label, category) => {
    if (!store.all.errors.has(category)) return [];
    const value = (bucket: Bucket, row: number | null): number => {
      let sum = 0;
      const { errors } = bucket.tick;
      for (let at = 0; at + 2 < errors.length; at += 3) {
        if (errors[at + 1] === category && (row === null || errors[at] === row)) sum += errors[at + 2]!;
      }
      return sum / bucket.span;
    };
    return [{ label, colour: `--c${(category % 8) + 1}`, value }];
  });
}

function phases(store: Store): Line[] {
  return (store.hello?.phases ?? []).map((label, phase) => ({
    label,
    colour: `--c${phase + 1}`,
    value: (bucket) => quantile(fromWire(bucket.tick.phases[phase] ?? []), 0.5) ?? 0,
  }));
}

/** A number that is 0 where the system does not tell it. */
const told = (value: number): number | null => (value === 0 ? null : value);

const ended = (bucket: Bucket): number => (bucket.tick.tasks[TASK.passed]! + bucket.tick.tasks[TASK.failed]!) / bucket.span;
const connects = (bucket: Bucket): number => total(fromWire(bucket.tick.phases[1] ?? []));
const reused = (bucket: Bucket): number | null => {
  const requests = bucket.all.ok + bucket.all.err;
  return requests === 0 ? null : Math.max(0, 1 - connects(bucket) / requests);
};

export const CHARTS: readonly ChartSpec[] = [
  {
    id: "load",
    title: "Offered and achieved load",
    help: "Starts that were due, steps that ended, starts that were dropped because no user was free, and requests.",
    format: (value) => (value === null ? "–" : `${count(value)}/s`),
    totalsOnly: true,
    lines: () => [
      { label: "due", colour: "--c1", dash: [6, 4], value: task(TASK.started) },
      { label: "ended", colour: "--c3", value: ended },
      { label: "dropped", colour: "--c2", value: task(TASK.dropped) },
      { label: "requests", colour: "--c4", dash: [2, 3], value: rate((part) => part.ok + part.err) },
    ],
  },
  {
    id: "users",
    title: "Users by state",
    help: "Users inside a step, and between two steps: waiting for their turn, a pause or their sign-in.",
    format: count,
    stacked: true,
    totalsOnly: true,
    lines: (store) => {
      const busy = inStep(store);
      return [
        { label: "between steps", colour: "--c6", value: (bucket) => bucket.tick.users - busy.get(bucket)! },
        { label: "in a step", colour: "--c1", value: (bucket) => busy.get(bucket)! },
      ];
    },
  },
  {
    id: "percentiles",
    title: "Response times",
    help: "Percentiles of each stretch, within 3.2 %, from the intended start to the last byte. Drag to zoom.",
    format: latency,
    log: true,
    limits,
    lines: (_, { okOnly }) => [
      ...PERCENTILES.map(([label, , colour], at): Line => ({
        label,
        colour,
        value: (bucket, row) => percentiles(bucket.part(row), okOnly)[at]!,
      })),
      { label: "max", colour: "--c8", dash: [2, 3], value: (bucket, row) => longestOf(bucket.part(row), okOnly) },
    ],
    scope: ({ okOnly }) => (okOnly ? "OK only" : ""),
  },
  {
    id: "errors",
    title: "Errors by category",
    help: "Requests that failed in each second, by the kind of failure.",
    format: (value) => (value === null ? "–" : `${count(value)}/s`),
    stacked: true,
    lines: categories,
  },
  {
    id: "phases-time",
    title: "Phases over time",
    help: "Medians of the phases of a request, on top of one another.",
    format: latency,
    stacked: true,
    totalsOnly: true,
    lines: phases,
  },
  {
    id: "omission",
    title: "Response time and service time",
    help: "p99 from the intended start, and from the real start. What is between them, shaded, is waiting in the generator's queue that a user would have felt.",
    format: latency,
    totalsOnly: true,
    shadeBetween: true,
    lines: () => [
      { label: "response p99", colour: "--c4", value: (bucket) => percentiles(bucket.all)[3]! },
      { label: "service p99", colour: "--c1", dash: [6, 4], value: (bucket) => quantile(fromWire(bucket.tick.service), 0.99) },
    ],
  },
  {
    id: "bytes",
    title: "Traffic",
    help: "Bytes above TLS.",
    format: (value) => (value === null ? "–" : `${bytes(value)}/s`),
    lines: () => [
      { label: "received", colour: "--c1", value: rate((part) => part.in) },
      { label: "sent", colour: "--c2", dash: [6, 4], value: rate((part) => part.out) },
    ],
  },
  {
    id: "connections",
    title: "New connections",
    help: "Connections and TLS handshakes in each second.",
    format: (value) => (value === null ? "–" : `${count(value)}/s`),
    totalsOnly: true,
    lines: () => [
      { label: "connections", colour: "--c1", value: (bucket) => connects(bucket) / bucket.span },
      { label: "handshakes", colour: "--c3", dash: [6, 4], value: (bucket) => total(fromWire(bucket.tick.phases[2] ?? [])) / bucket.span },
    ],
  },
  {
    id: "open",
    title: "Open connections",
    help: "Connections to the target at the end of each second.",
    format: count,
    totalsOnly: true,
    height: 140,
    lines: () => [{ label: "open", colour: "--c1", value: (bucket) => bucket.tick.connections }],
  },
  {
    id: "reuse",
    title: "Requests on open connections",
    help: "The share of requests that needed no new connection.",
    format: share,
    totalsOnly: true,
    height: 140,
    lines: () => [{ label: "reused", colour: "--c1", value: reused }],
  },
  {
    id: "health",
    title: "Processor time of the generator",
    help: "The share of its time that each worker computed. Where the generator was too slow, every chart has a band.",
    format: share,
    totalsOnly: true,
    lines: (store) =>
      (store.newest?.tick.cpu ?? []).map((_, worker) => ({
        label: `worker ${worker}`,
        colour: `--c${(worker % 8) + 1}`,
        ...(worker % 2 === 1 ? { dash: [6, 4] } : {}),
        value: (bucket) => bucket.tick.cpu[worker] ?? null,
      })),
  },
  {
    id: "delays",
    title: "Delays of the generator",
    help: "The longest stop of a worker's loop, and how late 1 % of the requests started.",
    format: latency,
    totalsOnly: true,
    lines: () => [
      { label: "longest stop", colour: "--c2", value: (bucket) => bucket.tick.loop_lag_us },
      { label: "start delay p99", colour: "--c1", dash: [6, 4], value: (bucket) => quantile(fromWire(bucket.tick.start_delay), 0.99) },
    ],
  },
  {
    id: "memory",
    title: "Memory of the generator",
    help: "What the program has in memory, plugins and this page's history among it.",
    format: bytes,
    totalsOnly: true,
    height: 140,
    lines: () => [{ label: "memory", colour: "--c1", value: (bucket) => told(bucket.tick.memory) }],
  },
  {
    id: "files",
    title: "Open files of the generator",
    help: "Connections and files. The limit is the most that the system allows the program.",
    format: count,
    totalsOnly: true,
    height: 140,
    limits: ({ hello }) => (hello?.max_open_files ? [{ value: hello.max_open_files, text: "limit of the system" }] : []),
    lines: () => [{ label: "open files", colour: "--c1", value: (bucket) => told(bucket.tick.open_files) }],
  },
];
