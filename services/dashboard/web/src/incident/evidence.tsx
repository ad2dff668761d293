// What was measured: every plot on one time axis, with the baseline and the incident.
import { useMemo } from "preact/hooks";
import type { Diagnosis, Excerpt, IncidentDetail } from "../api/types";
import { Plot } from "../charts/plot";
import { extent, median, type PlotSpec } from "../charts/spec";
import { query, setQuery } from "../state/route";
import { count, quantity } from "../text/figures";
import { stamp } from "../text/times";
import { SeriesName } from "../ui/marks";
import { Scroll } from "../ui/states";
import type { Finer } from "./finer";
import { onsetOf, onsets, shadeOf } from "./span";
import { domainOf, zoomTo, type Stretch } from "./zoom";

export function Evidence(props: {
  detail: IncidentDetail;
  diagnosis: Diagnosis;
  zoom: Stretch | undefined;
  finer: Finer;
}) {
  const { detail, diagnosis, zoom, finer } = props;
  if (diagnosis.excerpts.length === 0) return null;
  const first = diagnosis.candidates[0]?.series.key;
  const symptom = (diagnosis.symptom ?? detail.incident.symptom).key;
  const rank = (e: Excerpt) => (e.series.key === first ? 0 : e.series.key === symptom ? 1 : 2);
  const ordered = [...diagnosis.excerpts].sort((a, b) => rank(a) - rank(b));
  const word = diagnosis.abstained ? "candidate" : "cause";
  const role = (e: Excerpt) => [word, "symptom", ""][rank(e)] ?? "";
  const log = query.value.get("scale") === "log";
  return (
    <section id="evidence" aria-labelledby="h-evidence" tabIndex={-1}>
      <div class="section-head">
        <h2 id="h-evidence">Evidence</h2>
        <button
          type="button"
          class="plain"
          aria-pressed={log}
          onClick={() => setQuery({ scale: log ? "" : "log" })}
        >
          Log scale
        </button>
      </div>
      <p class="quiet key-line">
        <span>
          <span class="swatch band-swatch" aria-hidden="true" /> baseline band
        </span>
        <span>
          <span class="swatch shade-swatch" aria-hidden="true" /> incident
        </span>
        <span>Gaps: nothing was measured. Draw over a plot to zoom all of them.</span>
      </p>
      <div class="panels">
        {ordered.map((excerpt) => (
          <Panel
            key={excerpt.series.key}
            excerpt={finer.get(excerpt.series.key) ?? excerpt}
            role={role(excerpt)}
            log={log}
            detail={detail}
            diagnosis={diagnosis}
            zoom={zoom}
          />
        ))}
      </div>
      <Numbers detail={detail} excerpts={ordered} />
    </section>
  );
}

function Panel(props: {
  excerpt: Excerpt;
  role: string;
  log: boolean;
  detail: IncidentDetail;
  diagnosis: Diagnosis;
  zoom: Stretch | undefined;
}) {
  const { excerpt, role, detail, diagnosis, zoom } = props;
  const log = props.log && positive(excerpt);
  const from = zoom?.[0];
  const to = zoom?.[1];
  const spec = useMemo(
    () => ({ ...specOf(excerpt, role, detail, diagnosis), log, domain: domainOf(from, to) }),
    [excerpt, role, log, detail, diagnosis, from, to],
  );
  return (
    <figure class="panel">
      <figcaption>
        <SeriesName series={excerpt.series} /> {role && <span class={`role ${role}`}>{role}</span>}{" "}
        {props.log && !log && <span class="quiet">linear: not all values are above 0</span>}
      </figcaption>
      <Plot spec={spec} label={words(excerpt, detail)} sync="incident" onZoom={zoomTo} />
    </figure>
  );
}

/** Whether a log scale can show it. */
function positive(excerpt: Excerpt): boolean {
  return excerpt.values.every((value) => value === null || value > 0) && (excerpt.low ?? 1) > 0;
}

function specOf(
  excerpt: Excerpt,
  role: string,
  detail: IncidentDetail,
  diagnosis: Diagnosis,
): PlotSpec {
  const onset = onsets(detail, diagnosis).get(excerpt.series.key);
  const colour = role === "symptom" ? "line-1" : role ? "line-0" : "line-2";
  const changes = detail.change_events
    .filter((one) => one.service === "" || one.service === excerpt.series.service)
    .map((one) => ({ at: one.at_unix, text: one.kind, colour: "line-4" }));
  return {
    times: excerpt.times_unix,
    lines: [{ name: excerpt.series.metric, values: excerpt.values, colour }],
    unit: excerpt.unit,
    band: bandOf(excerpt),
    shade: shadeOf(detail),
    marks: [...(onset === undefined ? [] : [{ at: onset, text: "departs", colour: "warn" }]), ...changes],
  };
}

function bandOf(excerpt: Excerpt): readonly [number, number] | undefined {
  return excerpt.low === null || excerpt.high === null ? undefined : [excerpt.low, excerpt.high];
}

interface Told {
  baseline: string;
  before: string;
  farthest: string;
  last: string;
  missing: number;
}

function told(excerpt: Excerpt, onset: number): Told {
  const since = excerpt.times_unix.findIndex((unix) => unix >= onset);
  const split = since < 0 ? excerpt.values.length : since;
  const before = median(excerpt.values.slice(0, split));
  const after = extent(excerpt.values.slice(split));
  const middle = before ?? after?.[0] ?? 0;
  const farthest = after && [...after].sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle))[0];
  const known = excerpt.values.filter((v) => v !== null);
  const say = (value: number | null | undefined) => quantity(value, excerpt.unit);
  const band = bandOf(excerpt);
  return {
    baseline: band ? `${say(band[0])} to ${say(band[1])}` : "–",
    before: say(before),
    farthest: say(farthest),
    last: say(known[known.length - 1]),
    missing: excerpt.values.length - known.length,
  };
}

function words(excerpt: Excerpt, detail: IncidentDetail): string {
  const t = told(excerpt, onsetOf(detail));
  return (
    `${excerpt.series.name}: baseline ${t.baseline}, median before the onset ${t.before}, ` +
    `farthest since ${t.farthest}, last ${t.last}`
  );
}

function Numbers({ detail, excerpts }: { detail: IncidentDetail; excerpts: readonly Excerpt[] }) {
  const onset = onsetOf(detail);
  return (
    <details class="twin">
      <summary>The plots in numbers</summary>
      <Scroll label="The plots in numbers">
        <table>
          <caption class="quiet">Before and since {stamp(onset)}</caption>
          <thead>
            <tr>
              <th scope="col">Series</th>
              {["Baseline band", "Median before", "Farthest since", "Last", "Missing"].map((name) => (
                <th key={name} scope="col" class="num">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {excerpts.map((excerpt) => {
              const t = told(excerpt, onset);
              return (
                <tr key={excerpt.series.key}>
                  <th scope="row">
                    <SeriesName series={excerpt.series} />
                  </th>
                  <td class="num">{t.baseline}</td>
                  <td class="num">{t.before}</td>
                  <td class="num">{t.farthest}</td>
                  <td class="num">{t.last}</td>
                  <td class="num">{count(t.missing, "row")}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
    </details>
  );
}
