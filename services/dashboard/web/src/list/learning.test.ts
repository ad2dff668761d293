import { expect, it } from "vitest";
import { NEEDED_ROWS, rowsOf } from "./learning";

it("counts the rows from the first to the last value", () => {
  const curve = { times_unix: [0, 15, 30, 45, 60], values: [null, 1, null, 2, null] };
  expect(rowsOf(curve, 15)).toBe(3);
  expect(rowsOf({ times_unix: [0], values: [null] }, 15)).toBe(0);
});

it("needs no more than it needs", () => {
  expect(rowsOf({ times_unix: [0, 15_000], values: [1, 1] }, 15)).toBe(NEEDED_ROWS);
});
