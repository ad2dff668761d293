import { expect, it } from "vitest";
import type { Excerpt, Series } from "../api/types";
import { inWords, overlaid, reachOf, type Laid } from "./overlaid";

const series = (service: string): Series => ({ key: service, name: service, metric: "m", service, labels: {} });
const excerpt = (service: string, times_unix: number[], values: (number | null)[]): Excerpt => ({
  series: series(service), times_unix, values, low: 1, high: 3, unit: "s",
});
const laid = (role: string, onset: number | undefined, one: Excerpt): Laid => ({
  excerpt: one, onset, role, reach: reachOf(one, onset ?? 0) ?? { middle: 0, farthest: 1 },
});
const cause = laid("cause", 20, excerpt("db", [0, 10, 20, 30], [2, 2, 6, 10]));
const symptom = laid("symptom", 65, excerpt("web", [0, 10, 25, 30], [2, null, 1, 1.5]));

it("draws both as shares of their farthest departure, falls below zero", () => {
  const plot = overlaid(cause, symptom, {});
  expect(plot.times).toEqual([0, 10, 20, 25, 30]);
  expect(plot.lines[0]?.values).toEqual([0, 0, 50, undefined, 100]);
  expect(plot.lines[1]?.values).toEqual([0, null, undefined, -100, -50]);
});

it("tells the measured value in the legend and marks how much later the symptom came", () => {
  const plot = overlaid(cause, symptom, {});
  expect(plot.lines[0]?.told?.(4)).toBe("10 s");
  expect(plot.lag).toEqual({ from: 20, to: 65, text: "+45 s" });
  expect(inWords(cause, symptom)).toBe("The cause departed 45 s before the symptom.");
});

it("does not claim an order where it is not known or the other way round", () => {
  expect(inWords({ ...cause, onset: undefined }, symptom)).toContain("not known");
  expect(inWords({ ...cause, onset: 70 }, symptom)).toBe("The symptom departed 5 s before the cause.");
  expect(overlaid({ ...cause, onset: 65 }, symptom, {}).lag).toBeUndefined();
});

it("has no reach for a series that never moved", () => {
  expect(reachOf(excerpt("idle", [0, 10], [2, 2]), 5)).toBeUndefined();
});
