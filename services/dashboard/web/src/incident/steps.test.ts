import { expect, it } from "vitest";
import type { Outcome } from "../api/types";
import { answers, lastSaid, question, teller } from "./steps";

const outcome = (helped: number | null, source: "person" | "sli" = "person", actor = "kim") =>
  ({ helped, source, actor }) as Outcome;

it("lets the symptom judge a remedy and never a check", () => {
  expect(answers(true).map(([helped]) => helped)).toEqual([true, false, null]);
  expect(answers(false).map(([helped]) => helped)).toEqual([true, false]);
});

it("asks of a remedy whether it helped and of a check what it showed", () => {
  expect(question("restart cart", "cart", true)).toBe("Did it help: restart cart?");
  expect(question("look at the logs of cart", "cart", false)).toContain("whether cart is the cause");
});

it("tells what was said, what is not known yet, and that nothing was said, apart", () => {
  expect([outcome(1), outcome(0), outcome(null), undefined].map(lastSaid)).toEqual([
    true,
    false,
    null,
    undefined,
  ]);
});

it("names the person, or the symptom where that spoke", () => {
  expect(teller(outcome(1))).toBe("kim");
  expect(teller(outcome(1, "sli"))).toBe("the symptom's recovery after kim tried it");
});
