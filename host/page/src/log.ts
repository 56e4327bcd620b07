// The event log of a run, as the program sends it and as a saved report embeds it: one `hello`, then ticks, then
// one `end`; a page of a report alone also has `times` and, if it compares, `base`.
// `docs/decisions/0062-page-event-log.md` says why it has this form; the writer is `host/src/sinks/page/`.

/** Name and version of the log. The version is raised when a reader of the old form would misread the new. */
export const SCHEMA = "stampede-page/1";

/** A histogram on the wire: bin, count, distance to the next bin, its count, and so on. */
export type WireHistogram = number[];

/** A row of the script. The last one may stand for all rows beyond the limit. */
export interface RowName {
  label: string;
  action: string;
  /** True if it is below the row of a step, and not shown without requests. */
  part?: boolean;
  /** True if its times are not in those of all rows together. */
  by_design?: boolean;
  /** How many rows it stands for, if it is the sum of those beyond the limit. */
  rows?: number;
}

/** A threshold as typed. */
export interface ThresholdName {
  metric: string;
  expression: string;
  unit: string;
}

/** A threshold as it stands; null while there is nothing to judge. */
export interface ShownThreshold {
  holds: boolean | null;
  value: number | null;
  at_least: boolean;
}

/** A scenario with its load in a sentence. */
export interface ScenarioName {
  name: string | null;
  model: string;
  load: string;
  users: number;
}

/** A level of the ladder of history: buckets of so many seconds, and how many of them are kept. */
export interface Level {
  seconds: number;
  buckets: number;
}

/** What is known before the first request. */
export interface Hello {
  type: "hello";
  schema: string;
  tool_version: string;
  started_at_ms: number;
  script: string;
  base_url: string | null;
  users: number;
  workers: number;
  seed: number;
  planned_s: number | null;
  warm_up_s: number;
  scenarios: ScenarioName[];
  rows: RowName[];
  categories: string[];
  phases: string[];
  thresholds: ThresholdName[];
  ladder: Level[];
  /** The most files that the program may have open, connections among them. */
  max_open_files: number | null;
  /** True if the page may change the load. */
  control: boolean;
}

/** Something that happened at a moment: a segment began, the load changed. */
export interface Mark {
  at_ms: number;
  text: string;
}

/** The first failure of its kind in a row. */
export interface Example {
  at_ms: number;
  row: number;
  category: number;
  text: string;
}

/** A stretch of the run. Lists of rows are parallel: one element for each row that had anything to count. */
export interface Tick {
  type: "tick";
  /** Number of the first and of the last second in it. */
  first: number;
  last: number;
  /** Begin and end, in milliseconds after the start of the run. */
  at_ms: number;
  end_ms: number;
  segment: number;
  users: number;
  paused: boolean;
  rows: number[];
  ok: number[];
  err: number[];
  bytes_out: number[];
  bytes_in: number[];
  max_us: number[];
  /** The length of each row's histogram in `response`, where they stand one after the other. */
  lengths: number[];
  response: WireHistogram;
  /** Index of each row of which a time is one of a failure; the next three lists are parallel to it. */
  failed_rows?: number[];
  failed_lengths?: number[];
  /** The longest time of the row's other requests; 0 if there are none. */
  ok_max_us?: number[];
  /** The times of failures, whose counts `response` has too. */
  failed_response?: WireHistogram;
  /** Row, category, count, and so on. */
  errors: number[];
  /** Row, status, count, and so on. */
  statuses: number[];
  /** Tasks started, passed, failed, cancelled, dropped, of all rows. */
  tasks: number[];
  service: WireHistogram;
  /** One for each phase. */
  phases: WireHistogram[];
  start_delay: WireHistogram;
  /** Share of each worker's time that it used the processor, 0 to 1. */
  cpu: number[];
  cpu_wait: number;
  loop_lag_us: number;
  /** Open connections. */
  connections: number;
  /** Resident memory of the generator in bytes, and its open files; 0 if they are not known. */
  memory: number;
  open_files: number;
  traps: number;
  /** True if the generator itself was too slow. */
  saturated: boolean;
  /** The thresholds as they stand, in the order of `hello`. */
  thresholds: ShownThreshold[];
  marks: Mark[];
  examples: Example[];
}

/** The end of the run: the report without its histograms and its series. */
export interface End {
  type: "end";
  report: Report;
}

/** Histograms of the response times of each row, in a page of a report alone, whose ticks have none. */
export interface Times {
  type: "times";
  rows: WireHistogram[];
}

/** Another run that this one was compared with: its events, and the changes as the terminal shows them. */
export interface Base {
  type: "base";
  name: string;
  summary: string;
  rows: string[][];
  events: RunEvent[];
}

export interface DurationStats {
  count: number;
  cut_off: number;
  at_least: string[];
  min: number;
  mean: number;
  stddev: number;
  p50: number;
  p75: number;
  p90: number;
  p95: number;
  p99: number;
  p99_9: number;
  max: number;
}

export interface ErrorCount {
  category: string;
  count: number;
  share: number;
  example: { name: string; text: string } | null;
}

export interface RowReport {
  scenario: string | null;
  name: string;
  action: string | null;
  /** The step that the row is below; null or missing for the row of a step itself. */
  step?: string | null;
  tasks: { started: number; passed: number; failed: number; cancelled: number; dropped: number };
  requests: { total: number; ok: number; err: number; rps: number };
  bytes: { out: number; in: number; body_in: number };
  statuses: Record<string, number>;
  errors: ErrorCount[];
  response_time_us: DurationStats | null;
  service_time_us: DurationStats | null;
  /** The same times by outcome; null or missing in a report of an earlier version. */
  by_outcome?: { ok: { response_time_us: DurationStats | null } } | null;
  apdex?: { score: number | null } | null;
  phases_us: Record<string, DurationStats | null>;
}

export interface ThresholdReport {
  metric: string;
  expression: string;
  passed: boolean;
  value: number | null;
  at_least: boolean;
  limit: number;
  unit: string;
  at_s: number | null;
  aborted: boolean;
}

/** What the page reads of `stampede-report/1`. */
export interface Report {
  schema: string;
  settings: { script: string };
  run: { started_at: string; elapsed_us: number; load_us: number; ended: string; verdict?: string | null; warm_up_requests: number };
  totals: RowReport;
  actions: RowReport[];
  thresholds: ThresholdReport[];
  checks: { step: string; name: string; passed: number; failed: number; share: number | null }[];
  metrics: CustomMetric[];
  generator: {
    bottleneck: boolean;
    reasons: string[];
    workers: { cpu_share: number; busy_share: number; cpu_wait_us: number | null; loop_lag_max_us: number }[];
    guests: { plugin: string; calls: number; time_us: number; traps: number; collateral: number }[];
  };
}

export interface CustomMetric {
  plugin: string;
  name: string;
  step: string | null;
  kind: string;
  unit: string;
  count: number;
  sum: number | null;
  share: number | null;
  last: number | null;
  distribution: { mean: number; p50: number; p95: number; p99: number } | null;
}

export type RunEvent = Hello | Tick | Times | End;
export type LogEvent = RunEvent | Base;

/** Returns the event if it is one that this page knows; later versions may send others, which are left out. */
export function asEvent(value: unknown): LogEvent | null {
  if (typeof value !== "object" || value === null || !("type" in value)) return null;
  const { type } = value as { type: unknown };
  if (type === "hello") {
    const hello = value as Hello;
    if (hello.schema !== SCHEMA) throw new Error(`this page reads ${SCHEMA}, and the run has ${hello.schema}`);
    return hello;
  }
  return ["tick", "times", "end", "base"].includes(type as string) ? (value as LogEvent) : null;
}

/** The label of a row of a report, as the table in the terminal has it. */
export function rowLabel(row: { scenario: string | null; name: string }): string {
  return row.scenario === null ? row.name : `${row.scenario}/${row.name}`;
}
