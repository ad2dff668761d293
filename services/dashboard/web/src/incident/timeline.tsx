// Everything that happened on one axis; drawing over it zooms all plots of the page.
import { useState } from "preact/hooks";
import { mayRespond } from "../api/session";
import type { Happening, IncidentDetail } from "../api/types";
import { timeTicks } from "../charts/ticks";
import { useWidth } from "../charts/width";
import { count } from "../text/figures";
import { clock, zoneName } from "../text/times";
import { Scroll } from "../ui/states";
import { explain } from "../explain/asking";
import { lanesOf, type Entry, type Lane } from "./lanes";
import { onsetOf, shadeOf, wholeSpan } from "./span";
import { around, zoomOut, zoomTo, type Stretch } from "./zoom";

const ROW = 24;
const FOOT = 20;

export function Timeline(props: {
  detail: IncidentDetail;
  items: readonly Happening[];
  zoom: Stretch | undefined;
}) {
  const { detail, zoom } = props;
  const whole = wholeSpan(detail);
  const lanes = lanesOf(props.items, whole[1]);
  const shown = zoom ?? whole;
  return (
    <section aria-labelledby="h-timeline">
      <div class="section-head">
        <h2 id="h-timeline">Timeline</h2>
        <Zooms whole={whole} zoom={zoom} onset={onsetOf(detail)} />
      </div>
      <div class="timeline">
        <ul class="lane-names plain-list" aria-hidden="true">
          {lanes.map((lane) => (
            <li key={lane.kind + lane.name} title={lane.name}>
              {lane.name}
            </li>
          ))}
        </ul>
        <Tracks lanes={lanes} shown={shown} shade={shadeOf(detail)} onset={onsetOf(detail)} />
      </div>
      <p class="quiet key-line">
        <span>◆ change</span> <span>▬ alert</span> <span>● departs upwards</span>
        <span>▼ downwards</span> <span>■ person or notification</span>
        <span>Times in {zoneName(shown[0])}. Draw over the lanes to zoom.</span>
      </p>
      <AsList lanes={lanes} />
    </section>
  );
}

function Zooms({ whole, zoom, onset }: { whole: Stretch; zoom: Stretch | undefined; onset: number }) {
  const [from, to] = around(onset, whole, 0.25);
  return (
    <div class="row" role="group" aria-label="Time shown">
      {zoom && (
        <span class="quiet">
          {clock(zoom[0])} to {clock(zoom[1])}
        </span>
      )}
      {zoom && mayRespond() && (
        <button type="button" class="plain" onClick={() => void explain(zoom)}>
          Explain this stretch
        </button>
      )}
      <button type="button" class="plain" onClick={() => zoomTo(from, to)}>
        Around the onset
      </button>
      <button type="button" class="plain" disabled={!zoom} onClick={zoomOut}>
        Whole window
      </button>
    </div>
  );
}

function Tracks(props: { lanes: readonly Lane[]; shown: Stretch; shade: Stretch; onset: number }) {
  const { element, width } = useWidth<HTMLDivElement>();
  const [drag, setDrag] = useState<Stretch>();
  const [from, to] = props.shown;
  const x = (unix: number) => ((unix - from) / (to - from)) * width;
  const unixAt = (event: PointerEvent) => {
    const left = element.current?.getBoundingClientRect().left ?? 0;
    const part = Math.min(1, Math.max(0, (event.clientX - left) / Math.max(1, width)));
    return from + part * (to - from);
  };
  const height = props.lanes.length * ROW + FOOT;
  const finish = () => {
    if (drag && Math.abs(x(drag[1]) - x(drag[0])) > 5) zoomTo(Math.min(...drag), Math.max(...drag));
    setDrag(undefined);
  };
  return (
    <div
      class="tracks"
      ref={element}
      onPointerDown={(event) => {
        if (event.button !== 0 || event.pointerType === "touch") return;
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag([unixAt(event), unixAt(event)]);
      }}
      onPointerMove={(event) => drag && setDrag([drag[0], unixAt(event)])}
      onPointerUp={finish}
      onPointerCancel={() => setDrag(undefined)}
    >
      {width > 0 && (
        <svg width={width} height={height} role="img" aria-label={inWords(props.lanes)}>
          <Area class="shade" from={x(props.shade[0])} to={x(props.shade[1])} height={height - FOOT} />
          {timeTicks(from, to, Math.max(2, Math.floor(width / 90))).map((unix) => (
            <g key={unix}>
              <line class="grid" x1={x(unix)} x2={x(unix)} y1={0} y2={height - FOOT} />
              <text x={Math.min(width - 26, Math.max(26, x(unix)))} y={height - 5} class="tick">
                {clock(unix)}
              </text>
            </g>
          ))}
          <line class="onset" x1={x(props.onset)} x2={x(props.onset)} y1={0} y2={height - FOOT} />
          {props.lanes.map((lane, row) => (
            <LaneMarks key={lane.kind + lane.name} lane={lane} y={row * ROW + ROW / 2} x={x} width={width} />
          ))}
          {drag && <Area class="brush" from={x(Math.min(...drag))} to={x(Math.max(...drag))} height={height - FOOT} />}
        </svg>
      )}
    </div>
  );
}

function Area(props: { class: string; from: number; to: number; height: number }) {
  const from = Math.max(0, props.from);
  return (
    <rect class={props.class} x={from} y={0} width={Math.max(0, props.to - from)} height={props.height} />
  );
}

function LaneMarks(props: { lane: Lane; y: number; x: (unix: number) => number; width: number }) {
  const { lane, y } = props;
  return (
    <g class={`lane ${lane.kind}`}>
      <line class="rail" x1={0} x2={props.width} y1={y + ROW / 2} y2={y + ROW / 2} />
      {lane.entries.map((entry, k) => (
        <Mark key={k} entry={entry} x={props.x(entry.at)} until={entry.until === undefined ? undefined : props.x(entry.until)} y={y} width={props.width} />
      ))}
    </g>
  );
}

function Mark(props: { entry: Entry; x: number; until: number | undefined; y: number; width: number }) {
  const { entry, x, y, until, width } = props;
  if ((until ?? x) < -6 || x > width + 6) return null;
  const title = <title>{`${clock(entry.at)} ${entry.text}`}</title>;
  switch (entry.shape) {
    case "bar": {
      const from = Math.max(0, x);
      return (
        <rect x={from} y={y - 5} width={Math.max(4, Math.min(width, until ?? x) - from)} height={10} rx={2}>
          {title}
        </rect>
      );
    }
    case "diamond":
      return <path d={`M${x} ${y - 7}l7 7-7 7-7-7z`}>{title}</path>;
    case "triangle":
      return <path d={`M${x - 5} ${y - 4}h10l-5 9z`}>{title}</path>;
    case "square":
      return <rect x={x - 4.5} y={y - 4.5} width={9} height={9}>{title}</rect>;
    default:
      return <circle cx={x} cy={y} r={4.5}>{title}</circle>;
  }
}

function inWords(lanes: readonly Lane[]): string {
  const parts = lanes.map((lane) => `${lane.name}: ${count(lane.entries.length, "mark")}`);
  return `What happened around the incident. ${parts.join("; ")}. The list below says the same.`;
}

function AsList({ lanes }: { lanes: readonly Lane[] }) {
  const every = lanes
    .flatMap((lane) => lane.entries.map((entry) => ({ lane: lane.name, kind: lane.kind, entry })))
    .sort((a, b) => a.entry.at - b.entry.at);
  return (
    <details class="twin">
      <summary>The timeline as a list</summary>
      <Scroll label="The timeline as a list">
        <table>
          <thead>
            <tr>
              <th scope="col">At</th>
              <th scope="col">Kind</th>
              <th scope="col">What</th>
            </tr>
          </thead>
          <tbody>
            {every.map(({ kind, entry }, k) => (
              <tr key={k}>
                <td class="num">
                  {clock(entry.at)}
                  {entry.until !== undefined && ` to ${clock(entry.until)}`}
                </td>
                <td>{KINDS[kind]}</td>
                <td>{entry.text}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </details>
  );
}

const KINDS: Readonly<Record<Lane["kind"], string>> = {
  change: "change",
  alert: "alert",
  change_point: "departure",
  status: "Rootward",
  notification: "notification",
  action: "person",
};
