// How bad it is: what is seen to be wrong, since when, and how many services it reached.
import type { IncidentDetail } from "../api/types";
import { offset, quantity } from "../text/figures";
import { clock, day, zoneName } from "../text/times";
import { SeriesName, When } from "../ui/marks";

export function Impact({ detail }: { detail: IncidentDetail }) {
  const { incident, changes } = detail;
  const symptom = changes.find((change) => change.series.key === incident.symptom.key);
  return (
    <dl class="facts big" aria-label="Impact">
      <div>
        <dt>Symptom</dt>
        <dd>
          {symptom ? `${quantity(symptom.before, symptom.unit)} → ${quantity(symptom.after, symptom.unit)}` : incident.symptom.service}
          <small>
            <SeriesName series={incident.symptom} />
          </small>
        </dd>
      </div>
      <div>
        <dt>Services hit</dt>
        <dd>
          {incident.services.length}
          <small>{incident.services.join(", ")}</small>
        </dd>
      </div>
      <div>
        <dt>Started, {zoneName(incident.onset_unix)}</dt>
        <dd>
          {clock(incident.onset_unix)}
          <small>
            {day(incident.onset_unix)}, <When unix={incident.onset_unix} />
          </small>
        </dd>
      </div>
      <div>
        <dt>Detected</dt>
        <dd>
          {offset(incident.opened_unix - incident.onset_unix)}
          <small>at {clock(incident.opened_unix)}</small>
        </dd>
      </div>
      {incident.resolved_unix !== null && (
        <div>
          <dt>Resolved</dt>
          <dd>
            {clock(incident.resolved_unix)}
            <small>
              <When unix={incident.resolved_unix} />
            </small>
          </dd>
        </div>
      )}
    </dl>
  );
}
