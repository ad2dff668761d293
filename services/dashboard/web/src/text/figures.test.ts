import { describe, expect, it } from "vitest";
import { count, inTen, number, offset, quantity, share, span } from "./figures";

describe("figures", () => {
  it.each([
    [1234567, "1.23 M"], [999.6, "1 k"], [0.21, "0.21"], [0, "0"], [1e-15, "0"],
    [0.000123, "1.23e−4"], [-42.5, "−42.5"], [null, "–"], [Number.NaN, "–"], [-Infinity, "−∞"],
  ])("writes %s as %s", (value, text) => expect(number(value)).toBe(text));

  it.each([
    [0.21, "s", "210 ms"], [2.9, "s", "2.9 s"], [3840, "s", "1 h 4 min"], [45, "ms", "45 ms"],
    [310e6, "B", "296 MiB"], [12, "%", "12 %"], [0.000002, "s", "2 µs"],
  ])("writes %s %s as %s", (value, unit, text) => expect(quantity(value, unit)).toBe(text));

  it("counts a length of time in its two largest units", () => {
    expect([0, 0.5, 59, 61, 90061].map(span)).toEqual(["0 s", "500 ms", "59 s", "1 min 1 s", "1 d 1 h"]);
    expect([-120, 0.1, 45].map(offset)).toEqual(["−2 min", "0 s", "+45 s"]);
  });

  it("never claims certainty", () => {
    expect([1, 0.86, 0.01].map(inTen)).toEqual(["more than 9 in 10", "about 9 in 10", "fewer than 1 in 10"]);
    expect([0.004, 0.62].map(share)).toEqual(["< 1 %", "62 %"]);
    expect([count(1, "alert"), count(12000, "series", "series")]).toEqual(["1 alert", "12,000 series"]);
  });
});
