// The colours of amounts: cividis, which people with any kind of colour vision see in the same order.

const STOPS: readonly [number, number, number][] = [
  [0, 32, 77], [0, 48, 110], [44, 63, 108], [74, 80, 108], [97, 97, 111], [119, 114, 118],
  [141, 132, 120], [166, 152, 114], [193, 173, 102], [221, 196, 80], [255, 234, 70],
];

/** Returns the colour of an amount between 0 and 1. */
export function cividis(amount: number): string {
  const at = Math.max(0, Math.min(1, amount)) * (STOPS.length - 1);
  const [low, high] = [STOPS[Math.floor(at)]!, STOPS[Math.ceil(at)]!];
  const mixed = low.map((part, index) => Math.round(part + (high[index]! - part) * (at - Math.floor(at))));
  return `rgb(${mixed.join(" ")})`;
}
