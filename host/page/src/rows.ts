// The numbers of each row, for every table that lists actions: exact from the report once the run is over, and until
// then from the sums of its seconds, whose percentiles are within 3.2 %.

import { quantiles, type Sparse } from "./histogram";
import { rowLabel, type DurationStats, type RowReport } from "./log";
import { sumTimes, type RowSum, type Store } from "./store";

export interface RowNumbers {
  /** Index in the log; null for a row beyond its limit, of which only the report tells. */
  index: number | null;
  label: string;
  action: string;
  total: number;
  ok: number;
  err: number;
  rps: number;
  p50: number | null;
  p90: number | null;
  p95: number | null;
  p99: number | null;
  max: number | null;
  bytesIn: number;
  bytesOut: number;
  /** The Apdex score, once the run is over; null if the row has no target. */
  apdex: number | null;
  /** Names of the percentiles that may be greater, because exchanges were cut off. */
  atLeast: string[];
  response: Sparse | null;
}

const SHARES = [0.5, 0.9, 0.95, 0.99];

/**
 * Returns all rows in the order of the script, with the times of all requests or of those without a failure. Rows below
 * steps are left out while they have no requests.
 */
export function rowNumbers(store: Store, okOnly = false): RowNumbers[] {
  const names = store.hello?.rows ?? [];
  if (store.report) {
    const limit = names.some((name) => name.rows !== undefined) ? names.length - 1 : names.length;
    const all = store.report.actions.map((row, at) => ofReport(row, at < limit ? at : null, store.rows[at]?.response ?? null, okOnly));
    return all.filter((row, at) => row.total > 0 || (store.report!.actions[at]!.step ?? null) === null);
  }
  const all = names.map((name, at) => ofSum(name.label, name.action, at, store.rows[at]!, store.elapsed, okOnly));
  return all.filter((row, at) => row.total > 0 || names[at]!.part !== true);
}

/** Returns the sum of all rows. */
export function totalNumbers(store: Store, okOnly = false): RowNumbers {
  if (store.report) return { ...ofReport(store.report.totals, null, store.all.response, okOnly), label: "Totals" };
  return { ...ofSum("Totals", "", 0, store.all, store.elapsed, okOnly), index: null };
}

function ofSum(label: string, action: string, index: number, sum: RowSum, elapsed: number, okOnly: boolean): RowNumbers {
  const [p50, p90, p95, p99] = quantiles(sumTimes(sum, okOnly), SHARES) as [number | null, number | null, number | null, number | null];
  const { ok, err, requests: total, response } = sum;
  const max = okOnly ? sum.okMax : sum.max;
  const rps = elapsed > 0 ? total / elapsed : 0;
  return { index, label, action, total, ok, err, rps, p50, p90, p95, p99, max, bytesIn: sum.in, bytesOut: sum.out, apdex: null, atLeast: [], response };
}

function ofReport(row: RowReport, index: number | null, response: Sparse | null, okOnly: boolean): RowNumbers {
  const times: DurationStats | null = okOnly ? (row.by_outcome?.ok.response_time_us ?? null) : row.response_time_us;
  return {
    index,
    label: rowLabel(row),
    action: row.action ?? "",
    ...row.requests,
    p50: times?.p50 ?? null,
    p90: times?.p90 ?? null,
    p95: times?.p95 ?? null,
    p99: times?.p99 ?? null,
    max: times?.max ?? null,
    bytesIn: row.bytes.in,
    bytesOut: row.bytes.out,
    apdex: row.apdex?.score ?? null,
    atLeast: times?.at_least ?? [],
    response,
  };
}
