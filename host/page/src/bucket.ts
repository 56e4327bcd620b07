// A stretch of the run, packed: a run of a day has more than a thousand of them, each with the histograms of 200 rows,
// and as objects they would take several times the memory.

import { addTo, dense, fromWire, readWire, sum, toSparse, without, type Sparse } from "./histogram";
import type { Tick } from "./log";

/** What one row, or all of them, counted in a bucket. */
export interface Part {
  ok: number;
  err: number;
  out: number;
  in: number;
  max: number | null;
  response: Sparse;
  /** The times in `response` that are of failures. */
  failed: Sparse;
  /** The longest time of a request without a failure. */
  okMax: number | null;
}

/** Returns the times of all requests of a part, or of those without a failure. */
export function timesOf(part: Part, okOnly: boolean): Sparse {
  return okOnly ? without(part.response, part.failed) : part.response;
}

/** Returns the longest of these times. */
export function longestOf(part: Part, okOnly: boolean): number | null {
  return okOnly ? part.okMax : part.max;
}

/** The places of the counts in `tasks`. */
export const TASK = { started: 0, passed: 1, failed: 2, cancelled: 3, dropped: 4 } as const;

const EMPTY = new Uint32Array(0);
const NUMBERS = 6;
const NO_ROWS: ReadonlySet<number> = new Set();
const NOTHING: Readonly<Part> = { ok: 0, err: 0, out: 0, in: 0, max: null, response: EMPTY, failed: EMPTY, okMax: null };

type RowLists = "rows" | "ok" | "err" | "bytes_out" | "bytes_in" | "max_us" | "lengths" | "response";
type FailureLists = "failed_rows" | "failed_lengths" | "ok_max_us" | "failed_response";

export class Bucket {
  /** Seconds that it covers. */
  readonly span: number;
  private constructor(
    readonly tick: Omit<Tick, RowLists | FailureLists>,
    private readonly rows: Uint16Array,
    /** For each row: ok, err, bytes out, bytes in, longest time, longest time without a failure. */
    private readonly numbers: Float64Array,
    /** For each row the end of its bins. */
    private readonly ends: Uint32Array,
    private readonly bins: Uint32Array,
    /** The times of failures of each row that has any. */
    private readonly failures: ReadonlyMap<number, Sparse>,
    readonly all: Part,
    /** The rows whose times are not in those of all rows together. */
    private readonly untimed: ReadonlySet<number>,
  ) {
    this.span = Math.max(1, tick.end_ms - tick.at_ms) / 1000;
  }

  /** Packs a tick. It is what loading a long run takes its time for, so it makes no object for each row. */
  static of(tick: Tick, untimed: ReadonlySet<number> = NO_ROWS): Bucket {
    const { rows, ok, err, bytes_out, bytes_in, max_us, lengths, response, failed_rows, failed_lengths, ok_max_us, failed_response, ...rest } = tick;
    const failures = new Map<number, Sparse>();
    const okMax = new Map<number, number>();
    let place = 0;
    (failed_rows ?? []).forEach((row, at) => {
      const length = failed_lengths?.[at] ?? 0;
      failures.set(row, fromWire((failed_response ?? []).slice(place, place + length)));
      okMax.set(row, ok_max_us?.[at] ?? 0);
      place += length;
    });
    const numbers = new Float64Array(rows.length * NUMBERS);
    const ends = new Uint32Array(rows.length);
    const bins = new Uint32Array(response.length);
    const all: Part = { ...NOTHING };
    const [sum, untimedSum] = [dense(), dense()];
    let [end, longest, okLongest] = [0, 0, 0];
    for (let at = 0; at < rows.length; at += 1) {
      const okLongestHere = okMax.get(rows[at]!) ?? max_us[at]!;
      numbers[at * NUMBERS] = ok[at]!;
      numbers[at * NUMBERS + 1] = err[at]!;
      numbers[at * NUMBERS + 2] = bytes_out[at]!;
      numbers[at * NUMBERS + 3] = bytes_in[at]!;
      numbers[at * NUMBERS + 4] = max_us[at]!;
      numbers[at * NUMBERS + 5] = okLongestHere;
      all.ok += ok[at]!;
      all.err += err[at]!;
      all.out += bytes_out[at]!;
      all.in += bytes_in[at]!;
      const isTimed = !untimed.has(rows[at]!);
      if (isTimed) {
        longest = Math.max(longest, max_us[at]!);
        okLongest = Math.max(okLongest, okLongestHere);
      }
      end = readWire(response, end, lengths[at]!, bins, isTimed ? sum : untimedSum);
      ends[at] = end;
    }
    if (longest > 0) all.max = longest;
    if (okLongest > 0) all.okMax = okLongest;
    all.response = toSparse(sum);
    all.failed = addUp([...failures].filter(([row]) => !untimed.has(row)).map(([, times]) => times));
    return new Bucket(rest, Uint16Array.from(rows), numbers, ends, bins, failures, all, untimed);
  }

  private static pack(rest: Bucket["tick"], rows: readonly number[], parts: Part[], untimed: ReadonlySet<number>): Bucket {
    const numbers = new Float64Array(parts.length * NUMBERS);
    const ends = new Uint32Array(parts.length);
    const bins = new Uint32Array(parts.reduce((length, part) => length + part.response.length, 0));
    const failures = new Map<number, Sparse>();
    let end = 0;
    parts.forEach((part, at) => {
      numbers.set([part.ok, part.err, part.out, part.in, part.max ?? 0, part.okMax ?? 0], at * NUMBERS);
      bins.set(part.response, end);
      end += part.response.length;
      ends[at] = end;
      if (part.failed.length > 0) failures.set(rows[at]!, part.failed);
    });
    const timed = parts.map((part, at) => (untimed.has(rows[at]!) ? withoutTimes(part) : part));
    return new Bucket(rest, Uint16Array.from(rows), numbers, ends, bins, failures, mergeParts(timed), untimed);
  }

  /** Merges neighbours, the earliest first. */
  static merge(buckets: readonly Bucket[]): Bucket {
    const [first, last] = [buckets[0]!, buckets[buckets.length - 1]!];
    const ticks = buckets.map((bucket) => bucket.tick);
    const longest = ticks.reduce((most, tick) => Math.max(most, tick.cpu.length), 0);
    const rest: Bucket["tick"] = {
      type: "tick",
      first: first.tick.first,
      last: last.tick.last,
      at_ms: first.tick.at_ms,
      end_ms: last.tick.end_ms,
      segment: last.tick.segment,
      users: Math.max(...ticks.map((tick) => tick.users)),
      paused: ticks.every((tick) => tick.paused),
      errors: addPairs(ticks.map((tick) => tick.errors)),
      statuses: addPairs(ticks.map((tick) => tick.statuses)),
      tasks: addLists(ticks.map((tick) => tick.tasks)),
      service: addWires(ticks.map((tick) => tick.service)),
      phases: first.tick.phases.map((_, phase) => addWires(ticks.map((tick) => tick.phases[phase] ?? []))),
      start_delay: addWires(ticks.map((tick) => tick.start_delay)),
      cpu: Array.from({ length: longest }, (_, worker) => Math.max(...ticks.map((tick) => tick.cpu[worker] ?? 0))),
      cpu_wait: Math.max(...ticks.map((tick) => tick.cpu_wait)),
      loop_lag_us: Math.max(...ticks.map((tick) => tick.loop_lag_us)),
      connections: Math.max(...ticks.map((tick) => tick.connections)),
      memory: Math.max(...ticks.map((tick) => tick.memory)),
      open_files: Math.max(...ticks.map((tick) => tick.open_files)),
      thresholds: last.tick.thresholds,
      traps: ticks.reduce((sum, tick) => sum + tick.traps, 0),
      saturated: ticks.some((tick) => tick.saturated),
      marks: ticks.flatMap((tick) => tick.marks),
      examples: ticks.flatMap((tick) => tick.examples),
    };
    const rows = [...new Set(buckets.flatMap((bucket) => Array.from(bucket.rows)))].sort((a, b) => a - b);
    return Bucket.pack(rest, rows, rows.map((row) => mergeParts(buckets.map((bucket) => bucket.part(row)))), first.untimed);
  }

  /** Returns what a row counted; all rows if it is null. */
  part(row: number | null): Part {
    if (row === null) return this.all;
    let [low, high] = [0, this.rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle]! < row) low = middle + 1;
      else high = middle;
    }
    if (this.rows[low] !== row) return NOTHING;
    const at = low * NUMBERS;
    const [max, okMax] = [this.numbers[at + 4]!, this.numbers[at + 5]!];
    return {
      ok: this.numbers[at]!,
      err: this.numbers[at + 1]!,
      out: this.numbers[at + 2]!,
      in: this.numbers[at + 3]!,
      max: max === 0 ? null : max,
      response: this.bins.subarray(low === 0 ? 0 : this.ends[low - 1]!, this.ends[low]!),
      failed: this.failures.get(row) ?? EMPTY,
      okMax: okMax === 0 ? null : okMax,
    };
  }

  /** Calls `visit` for each row that counted anything. */
  eachRow(visit: (row: number, part: Part) => void): void {
    for (const row of this.rows) visit(row, this.part(row));
  }
}

function withoutTimes({ ok, err, out, in: received }: Part): Part {
  return { ...NOTHING, ok, err, out, in: received };
}

/** Adds parts up. */
export function mergeParts(parts: readonly Part[]): Part {
  const sum = dense();
  const all: Part = { ...NOTHING };
  for (const part of parts) {
    all.ok += part.ok;
    all.err += part.err;
    all.out += part.out;
    all.in += part.in;
    all.max = greater(all.max, part.max);
    all.okMax = greater(all.okMax, part.okMax);
    addTo(sum, part.response);
  }
  all.response = toSparse(sum);
  all.failed = addUp(parts.map((part) => part.failed));
  return all;
}

/** Returns the greater of two times that may be missing. */
export function greater(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

function addUp(parts: Iterable<Sparse>): Sparse {
  const present = [...parts].filter((part) => part.length > 0);
  return present.length === 0 ? EMPTY : sum(present);
}

/** Adds lists of (row, key, count), which stay one list of them. */
function addPairs(lists: readonly number[][]): number[] {
  const counts = new Map<string, [number, number, number]>();
  for (const list of lists) {
    for (let at = 0; at + 2 < list.length; at += 3) {
      const [row, key, count] = [list[at]!, list[at + 1]!, list[at + 2]!];
      const known = counts.get(`${row} ${key}`);
      if (known) known[2] += count;
      else counts.set(`${row} ${key}`, [row, key, count]);
    }
  }
  return [...counts.values()].flat();
}

function addLists(lists: readonly number[][]): number[] {
  return (lists[0] ?? []).map((_, at) => lists.reduce((sum, list) => sum + (list[at] ?? 0), 0));
}

function addWires(wires: readonly number[][]): number[] {
  const sum = dense();
  for (const wire of wires) addTo(sum, fromWire(wire));
  const sparse = toSparse(sum);
  const wire: number[] = [];
  for (let at = 0, before = 0; at < sparse.length; at += 2) {
    wire.push(sparse[at]! - before, sparse[at + 1]!);
    before = sparse[at]!;
  }
  return wire;
}
