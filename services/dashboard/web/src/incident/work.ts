// What a person does to the incident that is open; shown at once, and taken back if it fails.
import { acknowledge, assign, reopen, resolve, unacknowledge } from "../api/deeds";
import type { Incident, IncidentDetail } from "../api/types";
import { now } from "../state/clock";
import { asProblem } from "../state/resource";
import { say } from "../ui/announce";

export interface IncidentDesk {
  acknowledge: () => Promise<void>;
  resolve: () => Promise<void>;
  assign: (to: string) => Promise<void>;
}

export function work(
  detail: IncidentDetail | undefined,
  show: (detail: IncidentDetail) => void,
  reload: () => void,
): IncidentDesk {
  const attempt = async (
    guess: Partial<Incident>,
    deed: (incident: Incident) => Promise<Incident>,
    words: string,
    undo?: () => void,
  ) => {
    if (!detail) return;
    show({ ...detail, incident: { ...detail.incident, ...guess } });
    try {
      const incident = await deed(detail.incident);
      show({ ...detail, incident });
      say(words, undo);
      reload();
    } catch (error) {
      show(detail);
      say(asProblem(error).message);
      reload();
    }
  };
  const name = detail?.incident.name ?? "";
  return {
    acknowledge: () => {
      if (detail?.incident.acknowledged_unix != null) {
        return attempt({ acknowledged_unix: null }, () => unacknowledge(name), "Taken back.");
      }
      return attempt(
        { acknowledged_unix: now.value },
        () => acknowledge(name),
        `${name} acknowledged.`,
        () => void unacknowledge(name).then(reload),
      );
    },
    resolve: () => {
      if (detail?.incident.status === "resolved") {
        return attempt({ status: "open" }, () => reopen(name), `${name} reopened.`);
      }
      return attempt(
        { status: "resolved" },
        () => resolve(name),
        `${name} resolved.`,
        () => void reopen(name).then(reload),
      );
    },
    assign: (to) =>
      attempt(
        { assignee: to },
        (incident) => assign(incident, to),
        to ? `${name} given to ${to}.` : `${name} is nobody's now.`,
      ),
  };
}
