import assert from "node:assert/strict";
import { test } from "node:test";
import { Bucket, timesOf } from "../src/bucket";
import { inStep } from "../src/charts";
import { verdict } from "../src/compare";
import { total } from "../src/histogram";
import { knee, type Point } from "../src/knee";
import { asEvent, type LogEvent, type RunEvent, type Tick } from "../src/log";
import { rowNumbers, totalNumbers } from "../src/rows";
import { readEmbedded } from "../src/source";
import { Store } from "../src/store";
import { end, hello, lines, numbers, tick } from "./made_run";

const run = { rows: 7, seconds: 4_000, requestsPerSecond: 30 };

function follow(seconds: number): Store {
  const store = new Store();
  const random = numbers(1);
  store.take(hello(run));
  for (let second = 0; second < seconds; second += 1) store.take(tick(run, second, random));
  return store;
}

test("the history stays bounded, without gaps, and loses no request", () => {
  const store = follow(4_000);
  const { buckets } = store;
  assert.ok(buckets.length < 600 + 360 + 60, `${buckets.length}`);
  buckets.slice(1).forEach((bucket, at) => assert.equal(bucket.tick.first, buckets[at]!.tick.last + 1));
  const counted = buckets.reduce((sum, bucket) => sum + bucket.all.ok + bucket.all.err, 0);
  assert.equal(counted, store.all.requests);
  assert.equal(counted, store.rows.reduce((sum, row) => sum + row.requests, 0));
  assert.equal(total(store.all.response), buckets.reduce((sum, bucket) => sum + total(bucket.all.response), 0));
  const statuses = [...store.all.statuses.values()].reduce((sum, count) => sum + count, 0);
  assert.equal(statuses, counted);
});

test("a bucket gives the counts of each row, and nothing for one that was silent", () => {
  const random = numbers(1);
  const [a, b] = [Bucket.of(tick(run, 100, random)), Bucket.of(tick(run, 101, random))];
  const merged = Bucket.merge([a, b]);
  for (let row = 0; row < 7; row += 1) assert.equal(merged.part(row).ok, a.part(row).ok + b.part(row).ok);
  assert.equal(merged.all.max, Math.max(a.all.max!, b.all.max!));
  assert.equal(merged.part(99).ok, 0);
  assert.equal(merged.span, 2);
});

test("times by design are those of their row, and in no total", () => {
  const random = numbers(1);
  const [one, next] = [tick(run, 100, random), tick(run, 101, random)];
  const all = [Bucket.of(one), Bucket.of(next)];
  const some = [Bucket.of(one, new Set([0])), Bucket.of(next, new Set([0]))];
  for (const [whole, timed] of [[all[0]!, some[0]!], [all[1]!, some[1]!], [Bucket.merge(all), Bucket.merge(some)]] as const) {
    assert.equal(timed.all.ok + timed.all.err, whole.all.ok + whole.all.err);
    assert.equal(total(timed.all.response), total(whole.all.response) - total(whole.part(0).response));
    assert.deepEqual(timed.part(0), whole.part(0));
  }
});

test("a second that comes twice counts once, and a second hello begins anew", () => {
  const store = follow(10);
  const before = store.all.requests;
  store.take(tick(run, 9, numbers(1)));
  assert.equal(store.all.requests, before);
  store.take(hello(run));
  assert.deepEqual([store.all.requests, store.buckets.length, store.last], [0, 0, -1]);
});

test("a last stretch of some milliseconds is shown with the second before it", () => {
  const store = follow(5);
  const [before, total] = [store.newest!, store.all.requests];
  const last = { ...tick(run, 5, numbers(2)), at_ms: 5_000, end_ms: 5_004, cpu: [1], saturated: true };
  store.take(last);
  assert.deepEqual([store.buckets.length, store.newest!.span, store.newest!.tick.last], [5, 1.004, 5]);
  assert.ok(store.newest!.all.ok > before.all.ok && store.all.requests > total);
  assert.deepEqual([store.newest!.tick.cpu, store.newest!.tick.saturated], [before.tick.cpu, before.tick.saturated]);
  store.take({ ...tick(run, 6, numbers(2)), at_ms: 5_004, end_ms: 5_504 });
  store.take({ ...tick(run, 7, numbers(2)), at_ms: 5_504, end_ms: 5_600, segment: 2 });
  assert.deepEqual(store.buckets.slice(-2).map(({ span }) => span), [0.5, 0.096], "one of half a second, and one of another segment, stand alone");
});

test("after the end all numbers are those of the report", () => {
  const store = follow(5);
  assert.notEqual(totalNumbers(store).total, 1000);
  store.take(end(run));
  assert.equal(totalNumbers(store).total, 1000);
  assert.deepEqual(rowNumbers(store).map((row) => row.p99), end(run).report.actions.map((row) => row.response_time_us!.p99));
});

test("a page of a report alone has its histograms from one event", () => {
  const store = new Store();
  store.take(hello(run));
  store.take({ type: "times", rows: hello(run).rows.map((_, row) => [row + 5, 2, 10, 1]) });
  assert.equal(total(store.all.response), 21);
  assert.deepEqual([...store.rows[1]!.response], [6, 2, 16, 1]);
});

test("a saved log reads back, and one of a later version is refused", async () => {
  const text = [...lines({ rows: 3, seconds: 20 })].join("\n");
  const events = await readEmbedded(JSON.stringify({ encoding: "plain", data: text }));
  assert.deepEqual([events!.length, events![0]!.type, events![21]!.type], [22, "hello", "end"]);
  assert.equal(await readEmbedded(" \n"), null);
  assert.equal(asEvent({ type: "later" }), null);
  assert.throws(() => asEvent({ ...hello(run), schema: "stampede-page/2" } as LogEvent), /stampede-page\/2/);
});

test("users in a step are the open tasks", () => {
  const store = new Store();
  store.take(hello(run));
  const random = numbers(1);
  const open = (second: number, tasks: number[]): RunEvent => ({ ...tick(run, second, random), tasks, users: 5 });
  for (const [second, tasks] of [[0, [4, 1, 0, 0, 0]], [1, [9, 2, 1, 0, 0]], [2, [0, 3, 2, 4, 0]]] as const) store.take(open(second, [...tasks]));
  assert.deepEqual([...inStep(store).values()], [3, 5, 0]);
});

test("the knee is where more load means longer waits", () => {
  const bent = (rps: number): Point => ({ rps, time: rps < 700 ? 10_000 : 10_000 + (rps - 700) * 800, at: rps });
  const points = Array.from({ length: 200 }, (_, at) => bent(at * 5 + 5));
  const found = knee(points);
  assert.ok(found !== null && found.rps > 550 && found.rps < 850, JSON.stringify(found));
  assert.equal(knee(points.map((point) => ({ ...point, time: 10_000 }))), null, "no bend");
  assert.equal(knee([]), null);
});

test("a difference is called clear if the intervals do not overlap", () => {
  const random = numbers(3);
  const make = (middle: number) => Bucket.of({ ...tick({ rows: 1, seconds: 10, requestsPerSecond: 2_000 }, 9, random), lengths: [80], response: Array.from({ length: 40 }, (_, at) => [at === 0 ? middle : 1, 50]).flat() }).all.response;
  assert.equal(verdict(make(160), make(160)), "no clear difference");
  assert.equal(verdict(make(180), make(160)), "p50 slower, p95 slower, p99 slower");
  assert.equal(verdict(make(160), make(180)), "p50 faster, p95 faster, p99 faster");
  assert.equal(verdict(make(160), null), "–");
});

test("times of failures are told apart in rows, buckets and merged buckets", () => {
  const random = numbers(5);
  // Row 1 has 50 times in bin 160, and 20 in bin 200 that are failures; row 0 is without failures.
  const made = (second: number): Tick => ({
    ...tick({ rows: 2, seconds: 10 }, second, random), rows: [0, 1], ok: [10, 50], err: [0, 20], bytes_out: [1, 1], bytes_in: [1, 1], max_us: [500, 9_000],
    lengths: [2, 4], response: [150, 10, 160, 50, 40, 20],
    failed_rows: [1], failed_lengths: [2], ok_max_us: [800], failed_response: [200, 20],
  });
  const merged = Bucket.merge([made(0), made(1)].map((each) => Bucket.of(each)));
  assert.deepEqual([...timesOf(merged.part(1), true)], [160, 100]);
  assert.deepEqual([...timesOf(merged.part(1), false)], [160, 100, 200, 40]);
  assert.deepEqual([...timesOf(merged.part(0), true)], [150, 20]);
  assert.deepEqual([...timesOf(merged.all, true)], [150, 20, 160, 100]);
  assert.deepEqual([merged.part(1).okMax, merged.all.okMax, merged.all.max], [800, 800, 9_000]);
  const store = new Store();
  store.take(hello({ rows: 2, seconds: 10 }));
  [0, 1].forEach((second) => store.take(made(second)));
  const [all, ok] = [rowNumbers(store)[1]!, rowNumbers(store, true)[1]!];
  assert.ok(all.p99! > 2 * ok.p99!, `${all.p99} ${ok.p99}`);
  assert.deepEqual([all.max, ok.max, totalNumbers(store, true).max], [9_000, 800, 800]);
  assert.equal(total(store.all.okResponse), 120);
});
