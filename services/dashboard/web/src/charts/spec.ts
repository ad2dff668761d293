// What a plot shows, whoever draws it.
export interface Line {
  name: string;
  /** Null: nothing was measured; undefined: another line has a point there. */
  values: readonly (number | null | undefined)[];
  /** What the legend says of a point, where that is not its value. */
  told?: (place: number) => string;
  /** A colour of the page's tokens, `line-0`. */
  colour: string;
  dash?: readonly number[];
}

export interface Mark {
  at: number;
  text: string;
  colour: string;
}

export interface Lag {
  from: number;
  to: number;
  text: string;
}

export interface PlotSpec {
  /** Unix seconds, ascending. */
  times: readonly number[];
  lines: readonly Line[];
  unit: string;
  /** Where the baseline stayed. */
  band?: readonly [number, number] | undefined;
  /** The incident. */
  shade?: readonly [number, number] | undefined;
  marks?: readonly Mark[];
  /** How much later something came than something else. */
  lag?: Lag | undefined;
  /** On a logarithmic scale; every value must be above 0. */
  log?: boolean;
  /** What of the time is shown; all of it where it is not said. */
  domain?: readonly [number, number] | undefined;
}

/** The smallest and largest of some numbers; undefined where there is none. */
export function extent(values: Iterable<number | null | undefined>): readonly [number, number] | undefined {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === null || value === undefined || !Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : undefined;
}

/** The middle of some numbers; undefined where there is none. */
export function median(values: readonly (number | null)[]): number | undefined {
  const known = values.filter((v): v is number => v !== null && Number.isFinite(v));
  if (known.length === 0) return undefined;
  known.sort((a, b) => a - b);
  const middle = known.length >> 1;
  const upper = known[middle] ?? 0;
  return known.length % 2 ? upper : (upper + (known[middle - 1] ?? 0)) / 2;
}

/** Where an axis begins and ends: a little beyond what is shown; on a log scale at round numbers. */
export function axis(low: number, high: number, log = false): [number, number] {
  if (log) return [roundedTo(low, Math.floor), roundedTo(high, Math.ceil)];
  const air = (high - low || Math.abs(high) || 1) * AIR;
  return [low >= 0 && low - air < 0 ? 0 : low - air, high + air];
}

const AIR = 0.06;

/** To one significant digit, so that the marks of a log scale are round. */
function roundedTo(value: number, round: (value: number) => number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  return Number((round(Number((value / unit).toPrecision(12))) * unit).toPrecision(1));
}
