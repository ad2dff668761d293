// What stays in sight while the page is read: which incident, in what state, what can be done.
import { answer, api, once } from "../api/client";
import type { IncidentDetail } from "../api/types";
import { asProblem } from "../state/resource";
import { href } from "../state/route";
import { say } from "../ui/announce";
import { SeverityMark, StatusMark } from "../ui/marks";
import { Elapsed } from "./elapsed";

export function IncidentHeader({ detail, reload }: { detail: IncidentDetail; reload: () => void }) {
  const { incident } = detail;
  const key = encodeURIComponent(incident.name);
  return (
    <header class="incident-head">
      <div class="incident-line">
        <SeverityMark severity={incident.severity} />
        <StatusMark status={incident.status} />
        <b class="id">{incident.name}</b>
        <span class="subject">{incident.title}</span>
        <Elapsed incident={incident} />
      </div>
      <div class="row actions">
        <button
          type="button"
          class="plain"
          onClick={() => void diagnoseAgain(incident.name, reload)}
        >
          Diagnose again
        </button>
        <a class="button plain" href={href(`/incidents/${key}/report`)}>
          Report
        </a>
      </div>
    </header>
  );
}

/** Ask for another diagnosis; the page shows it when it is there. */
export async function diagnoseAgain(key: string, reload: () => void): Promise<void> {
  try {
    await answer(
      api.POST("/api/v1/incidents/{key}/diagnose", { params: { path: { key } }, headers: once() }),
    );
    say("Queued: the diagnosis appears here when it is ready.");
    reload();
  } catch (error) {
    say(asProblem(error).message);
  }
}
