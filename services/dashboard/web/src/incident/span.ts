// Times that the whole page shares: what is shown, when it began, what departed when.
import type { Diagnosis, IncidentDetail } from "../api/types";
import { now } from "../state/clock";
import type { Stretch } from "./zoom";

/** The window of the diagnosis; where there is none, from half an hour before the onset on. */
export function wholeSpan(detail: IncidentDetail): Stretch {
  const { incident, diagnosis } = detail;
  const end = incident.resolved_unix ?? now.value;
  if (diagnosis) return [diagnosis.start_unix, Math.max(diagnosis.end_unix, diagnosis.start_unix + 1)];
  return [incident.onset_unix - 1800, Math.max(end, incident.onset_unix + 60)];
}

export function onsetOf(detail: IncidentDetail): number {
  return detail.diagnosis?.onset_unix ?? detail.incident.onset_unix;
}

/** The stretch that is shaded: the incident, as far as it is shown. */
export function shadeOf(detail: IncidentDetail): Stretch {
  const end = detail.incident.resolved_unix ?? wholeSpan(detail)[1];
  return [onsetOf(detail), Math.max(end, onsetOf(detail))];
}

/** When each series departed, by its key. */
export function onsets(detail: IncidentDetail, diagnosis: Diagnosis): ReadonlyMap<string, number> {
  const found = new Map(detail.changes.map((c) => [c.series.key, c.onset_unix]));
  for (const one of diagnosis.candidates) {
    if (one.onset_unix !== null) found.set(one.series.key, one.onset_unix);
  }
  return found;
}
