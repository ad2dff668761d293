// The words for what may come of a step: of a remedy that it helped, of a check what it showed.
import type { Outcome } from "../api/types";

export type Helped = boolean | null;

const REMEDY: readonly (readonly [Helped, string, string])[] = [
  [true, "✓", "It helped"],
  [false, "✕", "It did not help"],
  [null, "…", "Not known yet"],
];
const CHECK: readonly (readonly [Helped, string, string])[] = [
  [true, "✓", "It showed it"],
  [false, "✕", "It did not show it"],
];

/** What can be said of a step, each with a sign. */
export function answers(remedy: boolean): readonly (readonly [Helped, string, string])[] {
  return remedy ? REMEDY : CHECK;
}

/** What is asked of a step. */
export function question(step: string, service: string, remedy: boolean): string {
  return remedy ? `Did it help: ${step}?` : `Did it show whether ${service} is the cause: ${step}?`;
}

/** What was said last of a step; undefined where nothing was. */
export function lastSaid(one: Outcome | undefined): Helped | undefined {
  if (one === undefined) return undefined;
  return one.helped === null ? null : one.helped >= 0.5;
}

/** Who says what came of it. */
export function teller(one: Outcome): string {
  const who = one.actor || "somebody";
  return one.source === "sli" ? `the symptom's recovery after ${who} tried it` : who;
}
