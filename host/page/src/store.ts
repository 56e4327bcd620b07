// Holds what the page knows of a run: the buckets of the ladder, sums by row, and the report once there is one. Live
// and saved runs are fed through the same function, so that both show the same.

import { Bucket, greater, type Part } from "./bucket";
import { addTo, dense, fromWire, toSparse, without, type Dense, type Sparse } from "./histogram";
import type { End, Example, Hello, Mark, Report, RunEvent, Tick, Times } from "./log";

/** Sums of one row over the whole run. */
export class RowSum {
  ok = 0;
  err = 0;
  out = 0;
  in = 0;
  max: number | null = null;
  readonly statuses = new Map<number, number>();
  readonly errors = new Map<number, number>();
  okMax: number | null = null;
  private readonly bins: Dense = dense();
  private failedBins: Dense | null = null;
  private sparse: Sparse | null = null;

  add(part: Part): void {
    this.ok += part.ok;
    this.err += part.err;
    this.out += part.out;
    this.in += part.in;
    if (part.max !== null) this.max = Math.max(this.max ?? 0, part.max);
    this.okMax = greater(this.okMax, part.okMax);
    if (part.failed.length > 0) addTo((this.failedBins ??= dense()), part.failed);
    this.addTimes(part.response);
  }

  addTimes(times: Sparse): void {
    addTo(this.bins, times);
    this.sparse = null;
  }

  get requests(): number {
    return this.ok + this.err;
  }

  get response(): Sparse {
    this.sparse ??= toSparse(this.bins);
    return this.sparse;
  }

  /** The times of requests without a failure. */
  get okResponse(): Sparse {
    return this.failedBins === null ? this.response : without(this.response, toSparse(this.failedBins));
  }
}

/** Returns the times of all requests of a row, or of those without a failure. */
export function sumTimes(sum: RowSum, okOnly: boolean): Sparse {
  return okOnly ? sum.okResponse : sum.response;
}

/** A stretch that is shorter than this has no rate and no share of a processor to speak of. */
const MIN_STRETCH_MS = 500;

export class Store {
  hello: Hello | null = null;
  report: Report | null = null;
  marks: Mark[] = [];
  examples: Example[] = [];
  /** The buckets of each level of the ladder, the finest level first. */
  private levels: Bucket[][] = [];
  private cache: Bucket[] | null = null;
  private sums: RowSum[] = [];
  /** The rows whose times are not in those of all rows together. */
  private untimed: ReadonlySet<number> = new Set();
  private sum = new RowSum();
  /** Number of the last second that came; −1 before the first. */
  last = -1;

  /** Takes the next event of the log. A second `hello` begins anew: the program sends all that it has after it. */
  take(event: RunEvent): void {
    if (event.type === "hello") this.begin(event);
    else if (event.type === "tick") this.tick(event);
    else if (event.type === "times") this.times(event);
    else this.end(event);
  }

  private begin(hello: Hello): void {
    this.hello = hello;
    this.report = null;
    this.marks = [];
    this.examples = [];
    this.levels = hello.ladder.map(() => []);
    this.sums = hello.rows.map(() => new RowSum());
    this.untimed = new Set(hello.rows.flatMap((row, at) => (row.by_design === true ? [at] : [])));
    this.sum = new RowSum();
    this.cache = null;
    this.last = -1;
  }

  private tick(tick: Tick): void {
    if (this.hello === null || tick.last <= this.last) return;
    const bucket = Bucket.of(tick, this.untimed);
    this.last = tick.last;
    this.cache = null;
    this.sum.add(bucket.all);
    bucket.eachRow((row, part) => this.sums[row]?.add(part));
    triples(tick.errors, (row, key, count) => this.count("errors", row, key, count));
    triples(tick.statuses, (row, key, count) => this.count("statuses", row, key, count));
    this.marks.push(...tick.marks);
    this.examples.push(...tick.examples);
    if (!this.joins(bucket)) this.keep(bucket);
  }

  /**
   * Merges a bucket into the newest one if it is too short to stand alone, as the last of a run is, in which its last
   * requests end. Counts add up; the state of the generator stays that of the longer stretch.
   */
  private joins(bucket: Bucket): boolean {
    const newest = this.levels[0]!.at(-1);
    const { at_ms, end_ms, segment } = bucket.tick;
    if (newest === undefined || end_ms - at_ms >= MIN_STRETCH_MS) return false;
    if (newest.tick.segment !== segment || newest.tick.end_ms !== at_ms) return false;
    const { cpu, cpu_wait, saturated } = newest.tick;
    const merged = Bucket.merge([newest, bucket]);
    Object.assign(merged.tick, { cpu, cpu_wait, saturated });
    this.levels[0]!.splice(-1, 1, merged);
    return true;
  }

  private count(what: "errors" | "statuses", row: number, key: number, count: number): void {
    for (const sum of [this.sum, this.sums[row]]) sum?.[what].set(key, (sum[what].get(key) ?? 0) + count);
  }

  private times({ rows }: Times): void {
    rows.forEach((wire, row) => {
      const times = fromWire(wire);
      this.sums[row]?.addTimes(times);
      if (!this.untimed.has(row)) this.sum.addTimes(times);
    });
  }

  private end(end: End): void {
    this.report = end.report;
  }

  /** Puts a bucket into the level of its length, and merges what is too old for a level into the next one. */
  private keep(bucket: Bucket): void {
    const ladder = this.hello!.ladder;
    const seconds = bucket.tick.last - bucket.tick.first + 1;
    const at = ladder.findIndex((level) => seconds <= level.seconds);
    this.levels[at === -1 ? ladder.length - 1 : at]!.push(bucket);
    for (let level = 0; level + 1 < ladder.length; level += 1) this.overflow(level);
  }

  private overflow(level: number): void {
    const { buckets } = this.hello!.ladder[level]!;
    const coarse = this.hello!.ladder[level + 1]!.seconds;
    const kept = this.levels[level]!;
    while (kept.length > buckets) {
      // All that belongs to one bucket of the next level goes at once.
      const group = Math.floor(kept[0]!.tick.first / coarse);
      const end = kept.findIndex((bucket) => Math.floor(bucket.tick.first / coarse) !== group);
      if (end === -1) return;
      this.levels[level + 1]!.push(Bucket.merge(kept.splice(0, end)));
    }
  }

  /** All buckets, the earliest first. */
  get buckets(): readonly Bucket[] {
    this.cache ??= [...this.levels].reverse().flat();
    return this.cache;
  }

  /** The newest bucket. */
  get newest(): Bucket | null {
    return this.buckets[this.buckets.length - 1] ?? null;
  }

  get rows(): readonly RowSum[] {
    return this.sums;
  }

  get all(): RowSum {
    return this.sum;
  }

  /** Seconds of the run so far. */
  get elapsed(): number {
    return this.report ? this.report.run.elapsed_us / 1e6 : (this.newest?.tick.end_ms ?? 0) / 1000;
  }
}

/** Calls `visit` for each (row, key, count) of a list. */
export function triples(list: readonly number[], visit: (row: number, key: number, count: number) => void): void {
  for (let at = 0; at + 2 < list.length; at += 3) visit(list[at]!, list[at + 1]!, list[at + 2]!);
}
