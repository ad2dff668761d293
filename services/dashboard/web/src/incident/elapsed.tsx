import type { Incident } from "../api/types";
import { now } from "../state/clock";
import { span } from "../text/figures";

/** How long it has lasted, from its onset to its end or to now. */
export function Elapsed({ incident }: { incident: Incident }) {
  const end = incident.resolved_unix ?? now.value;
  const length = span(Math.max(0, Math.round(end - incident.onset_unix)));
  return <span class="elapsed">{incident.status === "open" ? `for ${length}` : `lasted ${length}`}</span>;
}
