import { expect, test } from "vitest";
import type { Series } from "../api/types";
import { podOf } from "./pods";

function labelled(labels: Record<string, string>): Series {
  return { key: "", name: "", metric: "m", service: "cart", labels };
}

test("the pod of a series is told by its labels, the clearest first", () => {
  expect(podOf(labelled({ instance: "cart-0:9100" }))).toBe("cart-0");
  expect(podOf(labelled({ instance: "10.0.0.1:9100", pod: "cart-1" }))).toBe("cart-1");
});

test("a series without such labels is of no pod", () => {
  expect(podOf(labelled({ service: "cart" }))).toBeUndefined();
});
