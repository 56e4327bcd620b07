// Finds the knee: the throughput from which on more load means longer waits rather than more replies.

/** A stretch of the run. */
export interface Point {
  /** Requests per second. */
  rps: number;
  /** p95 of the response times, in microseconds. */
  time: number;
  /** The time of the stretch, in seconds. */
  at: number;
}

/**
 * Returns the point at the knee, or null if the run shows none. The median times of eight ranges of throughput are a
 * curve; its knee is the point farthest below the straight line from its begin to its end, if it bends at all.
 */
export function knee(points: readonly Point[]): Point | null {
  const curve = ranges(points);
  const [first, last] = [curve[0], curve[curve.length - 1]];
  if (!first || !last || curve.length < 4) return null;
  // Without a rise in the waits, or with hardly any range of load, nothing has bent.
  if (last.time < first.time * 2 || last.rps < first.rps * 1.5) return null;
  let [best, depth] = [null as Point | null, 0.1];
  for (const point of curve) {
    const x = (point.rps - first.rps) / (last.rps - first.rps);
    const y = (point.time - first.time) / (last.time - first.time);
    if (x - y > depth) [best, depth] = [point, x - y];
  }
  return best;
}

function ranges(points: readonly Point[]): Point[] {
  const sorted = points.filter((point) => point.rps > 0).sort((a, b) => a.rps - b.rps);
  if (sorted.length < 8) return [];
  const [low, high] = [sorted[0]!.rps, sorted[sorted.length - 1]!.rps];
  const width = (high - low) / 8;
  if (width <= 0) return [];
  return Array.from({ length: 8 }, (_, range) => {
    const end = range === 7 ? Infinity : low + width * (range + 1);
    return sorted.filter((point) => point.rps >= low + width * range && point.rps < end);
  }).flatMap((group) => {
    const times = group.map((point) => point.time).sort((a, b) => a - b);
    const middle = group[group.length >> 1];
    return middle ? [{ rps: middle.rps, time: times[times.length >> 1]!, at: middle.at }] : [];
  });
}
