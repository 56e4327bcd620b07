// Numbers for people to read, formatted as the table in the terminal formats them (`host/src/report/format.rs`), so
// that the two can be compared by eye.

const NONE = "–";

/** Formats a whole number in groups of three digits: `12 012`. */
export function grouped(value: number | null): string {
  if (value === null) return NONE;
  return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, " ");
}

function decimal(value: number): string {
  return value.toFixed(1).replace(/\.0$/, "");
}

/** Formats a number: below 100 with one decimal unless that is zero, from there on with none. */
export function short(value: number): string {
  return value < 99.95 ? decimal(value) : value.toFixed(0);
}

/** Formats a count for a narrow place: `999`, `3.2k`, `120k`, `1.2M`, `5G`. */
export function count(value: number | null): string {
  if (value === null) return NONE;
  if (value < 1000) return short(value);
  let scaled = value / 1000;
  for (const unit of ["k", "M"]) {
    if (scaled < 999.5) return short(scaled) + unit;
    scaled /= 1000;
  }
  return `${short(scaled)}G`;
}

/** Formats a number in groups of three digits, with one decimal, left out if it is zero. */
export function groupedDecimal(value: number | null): string {
  if (value === null) return NONE;
  const tenths = Math.round(value * 10);
  const whole = grouped(Math.floor(tenths / 10));
  return tenths % 10 === 0 ? whole : `${whole}.${tenths % 10}`;
}

/** Formats a latency in microseconds, to about three digits: `850 µs`, `1.24 ms`, `34 ms`, `12.3 s`. */
export function latency(micros: number | null): string {
  if (micros === null) return NONE;
  if (micros < 999.5) return `${micros.toFixed(0)} µs`;
  if (micros < 9_995) return `${(micros / 1e3).toFixed(2)} ms`;
  if (micros < 9_999_500) return `${(micros / 1e3).toFixed(0)} ms`;
  return `${(micros / 1e6).toFixed(1)} s`;
}

/** Formats a share of a whole in percent; one that would round to 0 % or 100 % without being that has two decimals. */
export function percent(part: number, whole: number): string {
  if (part === 0 || whole === 0) return "0 %";
  if (part >= whole) return "100 %";
  const share = part / whole;
  const tenths = Math.round(share * 1e3);
  if (tenths === 0) return `${Math.max(share * 1e2, 0.01).toFixed(2)} %`;
  if (tenths === 1000) return `${(Math.min(Math.floor(share * 1e4), 9999) / 1e2).toFixed(2)} %`;
  return `${decimal(tenths / 10)} %`;
}

/** Formats bytes in units of 1,000: `999 B`, `1.2 kB`, `34 MB`. */
export function bytes(value: number | null): string {
  if (value === null) return NONE;
  let scaled = value;
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (scaled < 999.5) return `${short(scaled)} ${unit}`;
    scaled /= 1000;
  }
  return `${short(scaled)} TB`;
}

/** Formats a time of the run: `42 s`, `3:05`, `1:02:03`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  const two = (n: number): string => n.toString().padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Formats the change from one number to another in percent: `+12 %`. */
export function change(from: number, to: number): string {
  if (from === 0) return to === 0 ? "0 %" : NONE;
  const share = (to / from - 1) * 100;
  const sign = share > 0 ? "+" : share < 0 ? "−" : "";
  return `${sign}${decimal(Math.abs(share))} %`;
}

/** Makes a text from elsewhere safe to show: characters that control the direction or the line become visible. */
export function visible(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (c) => {
    return `⟨${c.charCodeAt(0).toString(16).padStart(4, "0")}⟩`;
  });
}
