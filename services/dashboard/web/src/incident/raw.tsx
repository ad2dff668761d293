// How to get the same ranking again: window, version, seed, parameters.
import { href } from "../state/route";
import { count, quantity, share, span } from "../text/figures";
import { stamp } from "../text/times";
import { Copyable } from "../ui/states";
import type { TabProps } from "./tabs";

export function RawTab({ detail }: TabProps) {
  const { diagnosis, incident } = detail;
  const key = encodeURIComponent(incident.name);
  return (
    <>
      {diagnosis && (
        <dl class="reproduce">
          <Fact name="Window" text={`${stamp(diagnosis.start_unix)} to ${stamp(diagnosis.end_unix)}`} />
          <Fact
            name="Data"
            text={`${count(diagnosis.rows, "row")} every ${span(diagnosis.step_seconds)}, ${count(diagnosis.series_count, "series", "series")}`}
          />
          <Fact name="Method" text={diagnosis.method} />
          <Fact name="Parameters" text={parameters(diagnosis.parameters)} />
          <Fact name="Seed" text={String(diagnosis.seed)} />
          <Fact name="Version" text={diagnosis.version || "not recorded"} />
          {diagnosis.graph_version != null && (
            <Fact name="Kept graph at the onset" text={`version ${diagnosis.graph_version}`} />
          )}
          <Fact name="Took" text={quantity(diagnosis.seconds, "s")} />
          <Fact name="Confidence" text={share(diagnosis.confidence)} />
        </dl>
      )}
      {diagnosis && diagnosis.cautions.length > 0 && (
        <>
          <h3>Read with care</h3>
          <ul class="cautions">
            {diagnosis.cautions.map((caution) => (
              <li key={caution}>{caution}</li>
            ))}
          </ul>
        </>
      )}
      {diagnosis && (
        <>
          <h3>The same ranking again</h3>
          <p>
            <a href={href(`/api/v1/incidents/${key}/bundle`)} download>
              {incident.name}.zip
            </a>{" "}
            holds the window, the configuration, versions and the seed. With it, anywhere:
          </p>
          <Copyable label="The same ranking again" text={`rootward replay-diagnosis ${incident.name}.zip`} />
        </>
      )}
      <p class="row">
        <a href={href(`/api/v1/incidents/${key}`)}>Everything as JSON</a>
        <a href={href(`/incidents/${key}/report`)}>Report to print</a>
        <a href={href(`/api/v1/incidents/${key}/report`)} download>
          Report as one file
        </a>
      </p>
    </>
  );
}

function Fact({ name, text }: { name: string; text: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{text}</dd>
    </div>
  );
}

function parameters(given: Record<string, unknown>): string {
  const parts = Object.entries(given).map(([name, value]) => `${name} = ${String(value)}`);
  return parts.join(", ") || "defaults";
}
