import { expect, it } from "vitest";
import type { Alert, ChangeEvent, IncidentDetail } from "../api/types";
import { lastBefore, runbooks } from "./next";

const change = (service: string, at_unix: number) => ({ service, at_unix }) as ChangeEvent;
const detail = {
  incident: { onset_unix: 100 },
  change_events: [change("cart", 50), change("cart", 90), change("", 95), change("shop", 97), change("cart", 120)],
} as IncidentDetail;

it("would undo the last change before the onset of that service or of all, never a later one", () => {
  expect(lastBefore(detail, "cart")?.at_unix).toBe(95);
  expect(lastBefore(detail, "shop")?.at_unix).toBe(97);
  expect(lastBefore({ ...detail, change_events: [change("cart", 120)] }, "cart")).toBeUndefined();
});

it("names each runbook once and nothing that is no web address", () => {
  const alert = (name: string, runbook_url: string) => ({ name, annotations: { runbook_url } }) as unknown as Alert;
  const alerts = [alert("Slow", "https://wiki/slow"), alert("Again", "https://wiki/slow"), alert("Bad", "javascript:1")];
  expect(runbooks(alerts)).toEqual([["Slow", "https://wiki/slow"]]);
});
