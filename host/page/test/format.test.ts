import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, change, clock, count, grouped, groupedDecimal, latency, percent, visible } from "../src/format";

// The cases of `host/src/report/format.rs`: the page and the terminal show a number alike.
test("numbers are shown as the table in the terminal shows them", () => {
  const counts: [number, string][] = [[0, "0"], [999, "999"], [1_000, "1k"], [3_240, "3.2k"], [99_949, "99.9k"], [120_400, "120k"], [999_499, "999k"], [999_500, "1M"], [1_234_567, "1.2M"], [5e9, "5G"]];
  for (const [value, text] of counts) assert.equal(count(value), text);
  assert.deepEqual([0, 999, 1_000, 12_012, 1_234_567].map(grouped), ["0", "999", "1 000", "12 012", "1 234 567"]);
  assert.deepEqual([0, 108.34, 9_999.96, 12_345.6].map(groupedDecimal), ["0", "108.3", "10 000", "12 345.6"]);
  const times: [number, string][] = [[0, "0 µs"], [850, "850 µs"], [999.6, "1.00 ms"], [1_240, "1.24 ms"], [9_994, "9.99 ms"], [9_996, "10 ms"], [34_015, "34 ms"], [9_999_400, "9999 ms"], [12_345_678, "12.3 s"]];
  for (const [value, text] of times) assert.equal(latency(value), text);
  const shares: [number, number, string][] = [[0, 10, "0 %"], [10, 10, "100 %"], [1, 100_000, "0.01 %"], [99_999, 100_000, "99.99 %"], [1, 3, "33.3 %"], [1, 4, "25 %"]];
  for (const [part, whole, text] of shares) assert.equal(percent(part, whole), text);
});

test("other units", () => {
  assert.deepEqual([0, 999, 1_200, 34e6].map(bytes), ["0 B", "999 B", "1.2 kB", "34 MB"]);
  assert.deepEqual([0, 42.9, 185, 3_723].map(clock), ["0 s", "42 s", "3:05", "1:02:03"]);
  assert.deepEqual([change(100, 112), change(100, 90), change(0, 5)], ["+12 %", "−10 %", "–"]);
});

test("characters that turn or end a line become visible", () => {
  assert.equal(visible("a\u202eb\n\u0000"), "a⟨202e⟩b⟨000a⟩⟨0000⟩");
  assert.equal(visible("</script> שלום"), "</script> שלום");
});
