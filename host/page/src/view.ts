// What all panels share: the stretch of time and the row that are looked at. A change is told to every panel.

export interface Range {
  min: number;
  max: number;
}

export class View {
  /** The stretch that is shown, in seconds; null for the whole run. */
  range: Range | null = null;
  /** The row that the charts show; null for all of them. */
  row: number | null = null;
  /** True if the times are those of requests without a failure alone. */
  okOnly = false;
  /** Seconds at the end of the run that are followed; null if none are. */
  follow: number | null = null;
  private readonly listeners: (() => void)[] = [];

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }

  zoom(range: Range | null): void {
    if (range !== null && range.max - range.min < 0.5) return;
    this.range = range;
    this.follow = null;
    this.changed();
  }

  followLast(seconds: number | null): void {
    this.range = null;
    this.follow = seconds;
    this.changed();
  }

  choose(row: number | null): void {
    this.row = row;
    this.changed();
  }

  showOutcomes(okOnly: boolean): void {
    this.okOnly = okOnly;
    this.changed();
  }

  refresh(): void {
    this.changed();
  }

  /** Returns the stretch to show of a run that has come to `elapsed` seconds. */
  shown(elapsed: number): Range {
    if (this.range) return this.range;
    const max = Math.max(elapsed, 1);
    return { min: this.follow === null ? 0 : Math.max(0, max - this.follow), max };
  }

  /** Moves and scales the stretch by shares of its length, for keys. */
  shift(elapsed: number, by: number, scale: number): void {
    const { min, max } = this.shown(elapsed);
    const [middle, half] = [(min + max) / 2 + by * (max - min), ((max - min) / 2) * scale];
    const low = Math.max(0, middle - half);
    const range = { min: low, max: Math.min(Math.max(elapsed, 1), middle + half) };
    this.zoom(range.min <= 0 && range.max >= elapsed ? null : range);
  }
}
