// Cause over symptom: series of different units on one axis, as shares of their farthest departure.
import type { Excerpt } from "../api/types";
import type { PlotSpec } from "../charts/spec";
import { median } from "../charts/spec";
import { offset, quantity, span } from "../text/figures";

/** A series that is laid over another. */
export interface Laid {
  /** What is drawn. */
  excerpt: Excerpt;
  /** How far it stays and goes in the whole window, whatever is drawn. */
  reach: Reach;
  onset: number | undefined;
  role: string;
}

export interface Reach {
  /** The middle of the baseline. */
  middle: number;
  /** How far from it the series went. */
  farthest: number;
}

/** How far a series goes from its baseline; undefined where it does not move. */
export function reachOf(excerpt: Excerpt, onset: number): Reach | undefined {
  const { low, high, values, times_unix: times } = excerpt;
  const before = values.filter((_, k) => (times[k] ?? 0) < onset);
  const middle = low !== null && high !== null ? (low + high) / 2 : median(before);
  if (middle === undefined) return undefined;
  const away = values.map((value) => (value === null ? 0 : Math.abs(value - middle)));
  const farthest = Math.max(...away, 0);
  return farthest > 0 ? { middle, farthest } : undefined;
}

/** The plot that lays the symptom over its cause. */
export function overlaid(cause: Laid, symptom: Laid, shared: Partial<PlotSpec>): PlotSpec {
  const times = [...new Set([...cause.excerpt.times_unix, ...symptom.excerpt.times_unix])];
  times.sort((a, b) => a - b);
  const marks = [cause, symptom].flatMap((laid, k) =>
    laid.onset === undefined
      ? []
      : [{ at: laid.onset, text: `${laid.role} departs`, colour: `line-${k}` }],
  );
  return {
    ...shared,
    times,
    unit: "%",
    lines: [
      { ...line(cause, times), colour: "line-0" },
      { ...line(symptom, times), colour: "line-1", dash: [6, 3] },
    ],
    marks,
    lag: lagOf(cause, symptom),
  };
}

function line({ excerpt, reach, role }: Laid, times: readonly number[]) {
  const known = new Map(excerpt.times_unix.map((unix, k) => [unix, excerpt.values[k]]));
  const raw = times.map((unix) => known.get(unix));
  return {
    name: `${role}: ${excerpt.series.service}`,
    values: raw.map((value) =>
      value === null || value === undefined ? value : (100 * (value - reach.middle)) / reach.farthest,
    ),
    told: (place: number) => quantity(raw[place], excerpt.unit),
  };
}

function lagOf(cause: Laid, symptom: Laid): PlotSpec["lag"] {
  const [a, b] = [cause.onset, symptom.onset];
  if (a === undefined || b === undefined || Math.abs(b - a) < 0.5) return undefined;
  return { from: Math.min(a, b), to: Math.max(a, b), text: offset(b - a) };
}

/** Which departed first and by how much, in words. */
export function inWords(cause: Laid, symptom: Laid): string {
  const [a, b] = [cause.onset, symptom.onset];
  if (a === undefined || b === undefined) return "When one of them departed is not known.";
  if (Math.abs(b - a) < 0.5) return "Both departed at the same time.";
  const [first, second] = b > a ? [cause, symptom] : [symptom, cause];
  return `The ${first.role} departed ${span(Math.abs(b - a))} before the ${second.role}.`;
}
