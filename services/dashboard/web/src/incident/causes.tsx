// Ranked causes, at most five, each with what speaks for it and against it.
import type { Candidate, Diagnosis, IncidentDetail, Runs } from "../api/types";
import { offset, share } from "../text/figures";
import { clock } from "../text/times";
import { metricOf } from "../text/names";
import { Bar, Code } from "../ui/marks";
import { Scroll } from "../ui/states";
import { FeedbackOn } from "./feedback";
import { Pods } from "./pods";

const SHOWN = 5;
const TITLES: Readonly<Record<string, string>> = {
  size: "Size",
  onset: "Onset",
  edges: "Causal edges",
  mechanism: "Mechanism",
  explains: "Explains",
  pagerank: "PageRank",
  agreement: "Agreement",
  change: "Done before",
  against: "Against",
};

export function Causes(props: {
  detail: IncidentDetail;
  diagnosis: Diagnosis;
  onSaid: () => void;
}) {
  const { detail, diagnosis } = props;
  const weak = diagnosis.abstained;
  const most = Math.max(...diagnosis.candidates.map((c) => c.score), 1e-9);
  return (
    <section aria-labelledby="h-causes">
      <h2 id="h-causes">{weak ? "Nearest candidates" : "Ranked causes"}</h2>
      <ol class="causes">
        {diagnosis.candidates.slice(0, SHOWN).map((candidate) => (
          <Cause
            key={candidate.series.key}
            candidate={candidate}
            share={candidate.score / most}
            weak={weak}
            symptomOnset={symptomOnset(detail, diagnosis)}
            runs={detail.runs[candidate.service]}
          >
            <FeedbackOn
              incident={detail.incident.name}
              service={candidate.service}
              short={candidate.rank > 1}
              said={detail.feedback}
              onSaid={props.onSaid}
            />
          </Cause>
        ))}
      </ol>
      <Others detail={detail} diagnosis={diagnosis} />
    </section>
  );
}

function symptomOnset(detail: IncidentDetail, diagnosis: Diagnosis): number | null {
  const key = (diagnosis.symptom ?? detail.incident.symptom).key;
  return diagnosis.candidates.find((c) => c.series.key === key)?.onset_unix ?? null;
}

export function Cause(props: {
  candidate: Candidate;
  share: number;
  weak: boolean;
  symptomOnset: number | null;
  runs?: Runs | undefined;
  children?: preact.ComponentChildren;
}) {
  const { candidate, weak } = props;
  return (
    <li class={candidate.rank === 1 && !weak ? "cause first" : "cause"}>
      <div class="cause-head">
        <span class="rank">{candidate.rank}</span>
        <h3>
          {candidate.service} {weak && <span class="weak">weak</span>}
        </h3>
        {candidate.rank > 1 && props.children}
        <span class="score" title="Share of the score among all candidates">
          <Bar share={props.share} /> {share(candidate.score)}
        </span>
      </div>
      <p class="speaks">
        <Code text={metricOf(candidate.series)} /> {onsetWords(candidate, props.symptomOnset)}
      </p>
      <Pods runs={props.runs} series={candidate.series} />
      <ul class="reasons">
        {candidate.evidence.map((reason) => (
          <li key={reason.text} class={reason.kind === "against" ? "against" : "for"}>
            <span class="kind">
              <span aria-hidden="true">{reason.kind === "against" ? "✕" : "✓"}</span>{" "}
              {TITLES[reason.kind] ?? reason.kind}
            </span>
            <span>{reason.text}</span>
          </li>
        ))}
      </ul>
      {candidate.rank === 1 && props.children}
    </li>
  );
}

function onsetWords(candidate: Candidate, symptom: number | null): string {
  if (candidate.onset_unix === null) return "no departure from its baseline found";
  const at = `departed at ${clock(candidate.onset_unix)}`;
  if (symptom === null) return at;
  const lead = symptom - candidate.onset_unix;
  if (Math.abs(lead) < 0.5) return `${at}, together with the symptom`;
  return `${at}, ${offset(Math.abs(lead)).slice(1)} ${lead > 0 ? "before" : "after"} the symptom`;
}

function Others({ detail, diagnosis }: { detail: IncidentDetail; diagnosis: Diagnosis }) {
  const reasons = new Map(detail.ruled_out.map((one) => [one.service, one.reason]));
  const others = diagnosis.candidates.filter((one) => one.rank > SHOWN || reasons.has(one.service));
  if (others.length === 0) return null;
  return (
    <details class="more">
      <summary>Ruled out or unlikely: {others.length}, and why</summary>
      <Scroll label="Other candidates">
        <table>
          <thead>
            <tr>
              <th scope="col" class="num">
                Rank
              </th>
              <th scope="col">Service</th>
              <th scope="col">Series</th>
              <th scope="col" class="num">
                Score
              </th>
              <th scope="col" class="num">
                Departed
              </th>
              <th scope="col">Why not</th>
            </tr>
          </thead>
          <tbody>
            {others.map((one) => (
              <tr key={one.series.key}>
                <td class="num">{one.rank}</td>
                <th scope="row">{one.service}</th>
                <td>
                  <Code text={metricOf(one.series)} />
                </td>
                <td class="num">{share(one.score)}</td>
                <td class="num">{one.onset_unix === null ? "never" : clock(one.onset_unix)}</td>
                <td>{reasons.get(one.service) ?? "others explain more"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </details>
  );
}
