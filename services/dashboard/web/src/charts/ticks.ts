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
