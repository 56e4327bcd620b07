import assert from "node:assert/strict";
import { test } from "node:test";
import { binFloor, binMiddle, binOf, BINS, fromWire, interval, quantiles, sum, total, type Sparse } from "../src/histogram";

function of(times: number[]): Sparse {
  const counts = new Map<number, number>();
  for (const time of times) counts.set(binOf(time), (counts.get(binOf(time)) ?? 0) + 1);
  return Uint32Array.from([...counts].sort(([a], [b]) => a - b).flat());
}

test("bins are gapless and in order, and an hour has one", () => {
  for (let value = 0, last = 0; value < 100_000; value += 1) {
    assert.ok(binOf(value) === last || binOf(value) === last + 1, `${value}`);
    last = binOf(value);
  }
  assert.ok(binOf(3_600_000_000) < BINS);
});

test("the middle of a bin is near every value in it", () => {
  for (let value = 1; value <= 3_600_000_000; value += Math.floor(value / 7) + 1) {
    assert.ok(Math.abs(binMiddle(binOf(value)) - value) / value <= 0.032, `${value}`);
    assert.ok(binFloor(binOf(value)) <= value && value < binFloor(binOf(value) + 1), `${value}`);
  }
});

test("distances on the wire become bins", () => {
  assert.deepEqual([...fromWire([5, 2, 1, 3, 10, 1])], [5, 2, 6, 3, 16, 1]);
  assert.equal(fromWire([4_000_000, 1])[0], BINS - 1, "a bin that no time has is the last one");
});

test("percentiles are those of the program's histograms", () => {
  const tens = of([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual(quantiles(tens, [0, 0.5, 1]), [1, 5, 10]);
  assert.deepEqual(quantiles(new Uint32Array(0), [0.5]), [null]);
});

test("parts add up to the whole", () => {
  const parts = [of([1, 100, 1000]), of([100, 5000]), new Uint32Array(0)];
  assert.deepEqual(sum(parts), of([1, 100, 1000, 100, 5000]));
  assert.equal(total(sum(parts)), 5);
});

test("the interval of a percentile narrows with the number of requests", () => {
  const times = Array.from({ length: 10_000 }, (_, at) => 1_000 + at);
  const [few, many] = [interval(of(times.filter((_, at) => at % 100 === 0)), 0.95)!, interval(of(times), 0.95)!];
  assert.ok(many.high - many.low < few.high - few.low);
  assert.ok(many.low <= 10_500 && 10_500 <= many.high * 1.032);
  assert.equal(interval(of([1, 2, 3]), 0.5), null, "too few to say");
});
