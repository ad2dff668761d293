import { expect, it } from "vitest";
import { logTicks, timeTicks } from "./ticks";

it("marks a log axis at powers of ten, and in between where these are few", () => {
  expect(logTicks(0.001, 2)).toEqual([0.001, 0.01, 0.1, 1]);
  expect(logTicks(0.2, 3)).toEqual([0.2, 0.5, 1, 2]);
});

it("marks a time axis at round times, no more than fit", () => {
  expect(timeTicks(30, 330, 5)).toEqual([60, 120, 180, 240, 300]);
});
