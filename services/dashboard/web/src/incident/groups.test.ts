import { expect, it } from "vitest";
import type { Diagnosis, IncidentDetail } from "../api/types";
import { grouped } from "./groups";

const change = (service: string, onset_unix: number) => ({ series: { service }, onset_unix });
const detail = {
  changes: [change("db", 100), change("cart", 115), change("front", 160), change("cart", 130)],
} as unknown as IncidentDetail;
const diagnosis = { abstained: false, candidates: [{ service: "db" }] } as unknown as Diagnosis;

it("tells the cause from the first failure and from what it reached later", () => {
  expect(grouped(detail, diagnosis)).toEqual({
    cause: "db",
    first: { service: "cart", after: 15 },
    impact: [{ service: "front", after: 60 }],
  });
});

it("names no cause where the diagnosis names none", () => {
  const found = grouped(detail, { ...diagnosis, abstained: true });
  expect(found.cause).toBeUndefined();
  expect(found.first).toEqual({ service: "db", after: 0 });
});
