// The cause and the symptom in one plot, so that the eye sees which moved first and whether alike.
import { useMemo } from "preact/hooks";
import type { Diagnosis, IncidentDetail } from "../api/types";
import { Plot } from "../charts/plot";
import { SeriesName } from "../ui/marks";
import type { Finer } from "./finer";
import { inWords, overlaid, reachOf, type Laid } from "./overlaid";
import { onsetOf, onsets, shadeOf } from "./span";
import { domainOf, zoomTo, type Stretch } from "./zoom";

export function Overlay(props: {
  detail: IncidentDetail;
  diagnosis: Diagnosis;
  zoom: Stretch | undefined;
  finer: Finer;
}) {
  const { detail, diagnosis } = props;
  const word = diagnosis.abstained ? "candidate" : "cause";
  const first = diagnosis.candidates[0]?.series.key;
  const last = (diagnosis.symptom ?? detail.incident.symptom).key;
  const cause = useLaid(props, first, word);
  const symptom = useLaid(props, last, "symptom");
  const from = props.zoom?.[0];
  const to = props.zoom?.[1];
  const spec = useMemo(
    () =>
      cause && symptom && first !== last
        ? overlaid(cause, symptom, { shade: shadeOf(detail), domain: domainOf(from, to) })
        : undefined,
    [cause, symptom, first, last, detail, from, to],
  );
  if (!spec || !cause || !symptom) return null;
  const words = inWords(cause, symptom);
  return (
    <section aria-labelledby="h-overlay">
      <div class="section-head">
        <h2 id="h-overlay">{word === "cause" ? "Cause" : "First candidate"} and symptom</h2>
        <b>{words}</b>
      </div>
      <figure class="panel">
        <figcaption class="laid">
          <span>
            <Swatch class="cause-line" /> <SeriesName series={cause.excerpt.series} />{" "}
            <span class={`role ${word}`}>{word}</span>
          </span>
          <span>
            <Swatch class="symptom-line" /> <SeriesName series={symptom.excerpt.series} />{" "}
            <span class="role symptom">symptom</span>
          </span>
        </figcaption>
        <Plot
          spec={spec}
          label={`${cause.excerpt.series.name} and ${symptom.excerpt.series.name} on one axis. ${words}`}
          sync="incident"
          height={190}
          onZoom={zoomTo}
        />
      </figure>
      <p class="quiet">
        0 % is the middle of each baseline, 100 % how far each went at most;{" "}
        <a href="#evidence">the evidence</a> has the measured values.
      </p>
    </section>
  );
}

function Swatch(props: { class: string }) {
  return (
    <svg class={`stroke ${props.class}`} width="22" height="8" viewBox="0 0 22 8" aria-hidden="true">
      <path d="M0 4h22" />
    </svg>
  );
}

/** One of the two series; undefined where it was not kept or never moved. */
function useLaid(
  props: { detail: IncidentDetail; diagnosis: Diagnosis; finer: Finer },
  key: string | undefined,
  role: string,
): Laid | undefined {
  const { detail, diagnosis } = props;
  const whole = diagnosis.excerpts.find((one) => one.series.key === key);
  const excerpt = whole && (props.finer.get(whole.series.key) ?? whole);
  return useMemo(() => {
    if (!whole || !excerpt) return undefined;
    const reach = reachOf(whole, onsetOf(detail));
    const onset = onsets(detail, diagnosis).get(whole.series.key);
    return reach && { excerpt, reach, onset, role };
  }, [whole, excerpt, detail, diagnosis, role]);
}
