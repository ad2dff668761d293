// Where a time axis is marked.
const STEPS = [
  1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800,
];

/** Round times between two, at most so many. */
export function timeTicks(from: number, to: number, most: number): number[] {
  const step = STEPS.find((one) => (to - from) / one <= most) ?? (STEPS[STEPS.length - 1] as number);
  const first = Math.ceil(from / step) * step;
  const found: number[] = [];
  for (let at = first; at <= to && found.length <= most; at += step) found.push(at);
  return found;
}

const FEW_DECADES = 2;

/** Where a log axis is marked: at powers of ten, where these are few at 2 and 5 times them too. */
export function logTicks(low: number, high: number): number[] {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const within = last - first <= FEW_DECADES ? [1, 2, 5] : [1];
  const found: number[] = [];
  for (let power = first; power <= last; power++) {
    for (const times of within) {
      const at = Number((times * 10 ** power).toPrecision(1));
      if (at >= low && at <= high) found.push(at);
    }
  }
  return found;
}
