// What people do to incidents; each answers with the incident as it is then.
import { answer, api, once } from "./client";
import type { ActionName, Activity, Feedback, Incident, Outcome, Verdict } from "./types";

const at = (key: string) => ({ path: { key }, header: {} });

export function acknowledge(key: string): Promise<Incident> {
  return answer(
    api.POST("/api/v1/incidents/{key}/acknowledge", { params: at(key), headers: once() }),
  );
}

export function unacknowledge(key: string): Promise<Incident> {
  return answer(
    api.POST("/api/v1/incidents/{key}/unacknowledge", { params: at(key), headers: once() }),
  );
}

export function resolve(key: string, note = ""): Promise<Incident> {
  return answer(
    api.POST("/api/v1/incidents/{key}/resolve", {
      params: at(key),
      body: { note },
      headers: once(),
    }),
  );
}

export function reopen(key: string, note = ""): Promise<Incident> {
  return answer(
    api.POST("/api/v1/incidents/{key}/reopen", { params: at(key), body: { note }, headers: once() }),
  );
}

/** Let one incident take in any number of others. */
export function merge(into: string, incidents: string[]): Promise<Incident> {
  return answer(
    api.POST("/api/v1/incidents/{key}/merge", {
      params: at(into),
      body: { incidents },
      headers: once(),
    }),
  );
}

/** Take back that incidents went into one. */
export function separate(from: string, incidents: string[]): Promise<Incident> {
  return answer(
    api.POST("/api/v1/incidents/{key}/separate", {
      params: at(from),
      body: { incidents },
      headers: once(),
    }),
  );
}

/** Give the changes of some services an incident of their own; answers with that one. */
export function split(from: string, services: string[], title: string): Promise<Incident> {
  return answer(
    api.POST("/api/v1/incidents/{key}/split", {
      params: at(from),
      body: { services, series: [], title },
      headers: once(),
    }),
  );
}

/** Say that incidents are related to one. */
export function link(key: string, incidents: string[]): Promise<Incident> {
  return answer(
    api.POST("/api/v1/incidents/{key}/links", {
      params: at(key),
      body: { incidents },
      headers: once(),
    }),
  );
}

export function unlink(key: string, other: string): Promise<Incident> {
  return answer(
    api.DELETE("/api/v1/incidents/{key}/links/{other}", {
      params: { path: { key, other } },
      headers: once(),
    }),
  );
}

/** Give it to somebody; an empty name gives it to nobody. Fails where it was changed since. */
export function assign(incident: Incident, assignee: string): Promise<Incident> {
  return answer(
    api.PATCH("/api/v1/incidents/{key}", {
      params: { path: { key: incident.name }, header: { "if-match": `"${incident.version}"` } },
      body: { assignee },
      headers: once(),
    }),
  );
}

export function comment(key: string, text: string): Promise<Activity> {
  return answer(
    api.POST("/api/v1/incidents/{key}/comments", {
      params: at(key),
      body: { text },
      headers: once(),
    }),
  );
}

/** Say that a service was the cause, was not, or was a part of it. */
export function giveFeedback(
  key: string,
  service: string,
  verdict: Verdict,
  reason: string,
): Promise<Feedback> {
  return answer(
    api.POST("/api/v1/incidents/{key}/feedback", {
      params: at(key),
      body: { service, verdict, reason },
      headers: once(),
    }),
  );
}

/** Say what came of a step; without a word whether it helped, the symptom decides later. */
export function tellOutcome(
  key: string,
  action: string,
  service: string,
  helped: boolean | null,
  note: string,
): Promise<Outcome> {
  return answer(
    api.POST("/api/v1/incidents/{key}/outcomes", {
      params: at(key),
      body: { action: action as ActionName, service, helped, note }, // others are refused
      headers: once(),
    }),
  );
}
