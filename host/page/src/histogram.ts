// Histograms of microseconds with 16 bins per doubling, as `host/src/metrics/log_linear.rs` has them: they add up
// exactly over rows and seconds, and a percentile of them is within 3.2 % of the true one.

import type { WireHistogram } from "./log";

/** One more than the bin of an hour, the longest time that is told apart. */
export const BINS = 460;

/** Bins in use, in ascending order: bin, count, bin, count. */
export type Sparse = Uint32Array;

/** A count for each bin, to add up in. */
export type Dense = Float64Array;

/** Returns the bin of a time: times up to 31 µs are their own bins; above, 16 bins cover each doubling. */
export function binOf(micros: number): number {
  const shift = 27 - Math.clz32(micros | 31);
  return shift * 16 + (micros >>> shift);
}

/** Returns the shortest time in a bin. */
export function binFloor(bin: number): number {
  const shift = Math.max(0, Math.floor(bin / 16) - 1);
  return (bin - shift * 16) * 2 ** shift;
}

/** Returns the middle of a bin. */
export function binMiddle(bin: number): number {
  const shift = Math.max(0, Math.floor(bin / 16) - 1);
  return (bin - shift * 16) * 2 ** shift + Math.floor(2 ** shift / 2);
}

export function dense(): Dense {
  return new Float64Array(BINS);
}

/** Reads a histogram from the wire. */
export function fromWire(wire: WireHistogram): Sparse {
  const sparse = new Uint32Array(wire.length);
  readWire(wire, 0, wire.length, sparse, null);
  return sparse;
}

/** Reads `length` elements from a place of a list into the same place, and adds them to a sum. Returns the place after. */
export function readWire(wire: WireHistogram, place: number, length: number, into: Uint32Array, sum: Dense | null): number {
  let bin = 0;
  const end = place + length;
  for (let at = place; at + 1 < end; at += 2) {
    bin = Math.min(bin + wire[at]!, BINS - 1);
    into[at] = bin;
    into[at + 1] = wire[at + 1]!;
    if (sum) sum[bin]! += wire[at + 1]!;
  }
  return end;
}

/** Adds bins to a sum. */
export function addTo(sum: Dense, sparse: Sparse): void {
  for (let at = 0; at < sparse.length; at += 2) sum[sparse[at]!]! += sparse[at + 1]!;
}

/** Keeps the bins in use. */
export function toSparse(sum: Dense): Sparse {
  let used = 0;
  for (const count of sum) if (count > 0) used += 1;
  const sparse = new Uint32Array(used * 2);
  let at = 0;
  for (let bin = 0; bin < sum.length; bin += 1) {
    if (sum[bin]! > 0) {
      sparse[at] = bin;
      sparse[at + 1] = sum[bin]!;
      at += 2;
    }
  }
  return sparse;
}

/** Returns the counts of a histogram without those of a part of it. */
export function without(whole: Sparse, part: Sparse): Sparse {
  if (part.length === 0) return whole;
  const rest = dense();
  addTo(rest, whole);
  for (let at = 0; at < part.length; at += 2) rest[part[at]!]! -= Math.min(part[at + 1]!, rest[part[at]!]!);
  return toSparse(rest);
}

export function sum(parts: Iterable<Sparse>): Sparse {
  const all = dense();
  for (const part of parts) addTo(all, part);
  return toSparse(all);
}

export function total(sparse: Sparse): number {
  let counts = 0;
  for (let at = 1; at < sparse.length; at += 2) counts += sparse[at]!;
  return counts;
}

/** Returns the time that this share of the counts does not exceed; null if there are none. */
export function quantile(sparse: Sparse, share: number): number | null {
  return quantiles(sparse, [share])[0]!;
}

/** Returns the times that these shares of the counts, in ascending order, do not exceed. */
export function quantiles(sparse: Sparse, shares: readonly number[]): (number | null)[] {
  const counts = total(sparse);
  if (counts === 0) return shares.map(() => null);
  let at = 0;
  let below = sparse[1]!;
  return shares.map((share) => {
    const rank = Math.max(1, Math.ceil(share * counts));
    while (below < rank && at + 2 < sparse.length) {
      at += 2;
      below += sparse[at + 1]!;
    }
    return binMiddle(sparse[at]!);
  });
}

/** Two times between which a percentile lies with 99 % confidence. */
export interface Interval {
  low: number;
  high: number;
}

/** Returns the interval in which the percentile lies with 99 % confidence, by the ranks of the counts. */
export function interval(sparse: Sparse, share: number): Interval | null {
  const counts = total(sparse);
  if (counts < 20) return null;
  const reach = 2.576 * Math.sqrt((share * (1 - share)) / counts);
  const [low, high] = quantiles(sparse, [Math.max(0, share - reach), Math.min(1, share + reach)]);
  return { low: low!, high: high! };
}
