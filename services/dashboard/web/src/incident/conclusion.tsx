// The answer in one sentence with its band, or why there is none (yet).
import type { Diagnosis, IncidentDetail } from "../api/types";
import { count, inTen, span } from "../text/figures";
import { BandMark } from "../ui/marks";
import { Banner } from "../ui/states";
import { diagnoseAgain } from "./more";
import { FirstRanking, Steps, useProgress } from "./progress";

const LIKELY = 5;

export function Conclusion({ detail, reload }: { detail: IncidentDetail; reload: () => void }) {
  const { incident, diagnosis } = detail;
  const state = incident.diagnosis;
  const underway = useProgress(detail);
  const again = () => void diagnoseAgain(incident.name, reload);
  return (
    <>
      <section class="conclusion" aria-label="Conclusion">
        {diagnosis && <Found diagnosis={diagnosis} />}
        {!diagnosis && (
          <h1>
            {state.state === "failed" ? "No diagnosis: the last attempt failed" : "Looking for the cause …"}
          </h1>
        )}
      </section>
      {(state.state === "pending" || underway) && (
        <Banner title={underway ? "The diagnosis runs." : "The diagnosis is on its way."}>
          It usually takes less than a minute and appears here by itself
          {diagnosis ? "; what stands here is the one before" : "; what departed so far stands below"}.
          <Steps reached={underway?.step} />
        </Banner>
      )}
      {underway && <FirstRanking candidates={underway.candidates} />}
      {state.reason && (
        <Banner
          kind="bad"
          title={diagnosis ? "The latest attempt failed; this is the one before." : "The diagnosis failed."}
        >
          {state.reason}{" "}
          <button type="button" class="plain" onClick={again}>
            Try again
          </button>
        </Banner>
      )}
      {diagnosis?.abstained && <Abstained diagnosis={diagnosis} />}
    </>
  );
}

export function Found({ diagnosis }: { diagnosis: Diagnosis }) {
  const [head, ...rest] = diagnosis.conclusion.split(": ");
  const others = diagnosis.likely.slice(1, LIKELY);
  return (
    <>
      <h1>{diagnosis.abstained ? "No confident cause" : head}</h1>
      {(rest.length > 0 || diagnosis.abstained) && <p class="rest">{rest.length > 0 ? rest.join(": ") : head}</p>}
      {!diagnosis.abstained && (
        <p class="row">
          <BandMark band={diagnosis.band} />
          <span class="quiet">
            {inTen(diagnosis.confidence)} diagnoses as sure as this one name the right service
          </span>
        </p>
      )}
      {!diagnosis.abstained && others.length > 0 && (
        <p class="quiet">
          Not to be ruled out: {others.join(", ")}
          {diagnosis.likely.length > LIKELY && ` and ${diagnosis.likely.length - LIKELY} more`}. With
          the first they hold the cause in about nine of ten incidents.
        </p>
      )}
    </>
  );
}

export function Abstained({ diagnosis }: { diagnosis: Diagnosis }) {
  const window = span(diagnosis.end_unix - diagnosis.start_unix);
  return (
    <section class="abstained" aria-labelledby="h-abstained">
      <h2 id="h-abstained">What was checked</h2>
      <p>
        {count(diagnosis.rows, "row")} of{" "}
        {count(diagnosis.series_count, "series", "series")} over {window},{" "}
        {count(diagnosis.candidates.length, "candidate service")},{" "}
        {count(diagnosis.graph.edges.length, "learned edge")}
        {diagnosis.opinions.length > 0 && `, ${count(diagnosis.opinions.length, "other method")}`}.
        Nothing stands out clearly enough to be named.
      </p>
      {diagnosis.cautions.length > 0 && (
        <>
          <p>
            <strong>What is missing or in the way:</strong>
          </p>
          <ul>
            {diagnosis.cautions.map((caution) => (
              <li key={caution}>{caution}</li>
            ))}
          </ul>
        </>
      )}
      <p>The nearest candidates follow; all of them are weak.</p>
    </section>
  );
}
