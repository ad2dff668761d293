// What a plot shows, whoever draws it.
export interface Line {
  name: string;
  values: readonly (number | null)[];
  /** A colour of the page's tokens, `line-0`. */
  colour: string;
  dash?: readonly number[];
}

export interface Mark {
  at: number;
  text: string;
  colour: string;
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
  /** What of the time is shown; all of it where it is not said. */
  domain?: readonly [number, number] | undefined;
}

/** The smallest and largest of some numbers; undefined where there is none. */
export function extent(values: Iterable<number | null>): readonly [number, number] | undefined {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue;
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
