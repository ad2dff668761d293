// What a person does to the incident that is open; shown at once, and taken back if it fails.
import {
  acknowledge,
  assign,
  link,
  merge,
  reopen,
  resolve,
  separate,
  split,
  unacknowledge,
  unlink,
} from "../api/deeds";
import type { Incident, IncidentDetail } from "../api/types";
import { now } from "../state/clock";
import { asProblem } from "../state/resource";
import { count } from "../text/figures";
import { say } from "../ui/announce";

export interface IncidentDesk {
  acknowledge: () => Promise<void>;
  resolve: () => Promise<void>;
  assign: (to: string) => Promise<void>;
  /** Take in other incidents. */
  merge: (others: string[]) => Promise<void>;
  /** Let one go again that was taken in. */
  separate: (other: string) => Promise<void>;
  split: (services: string[], title: string) => Promise<void>;
  link: (others: string[]) => Promise<void>;
  unlink: (other: string) => Promise<void>;
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
  const relate = async (deed: () => Promise<Incident>, words: (made: Incident) => string, undo?: () => void) => {
    try {
      say(words(await deed()), undo);
    } catch (error) {
      say(asProblem(error).message);
    }
    reload();
  };
  return {
    ...relations(name, relate, reload),
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

type Relate = (
  deed: () => Promise<Incident>,
  words: (made: Incident) => string,
  undo?: () => void,
) => Promise<void>;

/** What is done to an incident together with others. */
function relations(name: string, relate: Relate, reload: () => void) {
  return {
    merge: (others: string[]) =>
      relate(
        () => merge(name, others),
        () => `${count(others.length, "incident")} merged into ${name}; it is diagnosed again.`,
        () => void separate(name, others).then(reload),
      ),
    separate: (other: string) =>
      relate(
        () => separate(name, [other]),
        () => `${other} is an incident of its own again.`,
        () => void merge(name, [other]).then(reload),
      ),
    split: (services: string[], title: string) =>
      relate(
        () => split(name, services, title),
        (made) => `${made.name} has ${services.join(", ")} now; it is diagnosed by itself.`,
      ),
    link: (others: string[]) =>
      relate(
        () => link(name, others),
        () => `${name} is linked to ${others.join(", ")}.`,
        () => void Promise.all(others.map((other) => unlink(name, other))).then(reload),
      ),
    unlink: (other: string) =>
      relate(
        () => unlink(name, other),
        () => `${name} and ${other} are no longer linked.`,
        () => void link(name, [other]).then(reload),
      ),
  };
}
