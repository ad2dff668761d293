// Words that are marked: each by shape and text, colour only helps.
import type { Band, IncidentStatus, Series, Severity } from "../api/types";
import { now } from "../state/clock";
import { metricOf } from "../text/names";
import { ago, rfc3339, stamp } from "../text/times";

export const BANDS: Readonly<Record<Band, string>> = {
  high: "High confidence",
  medium: "Medium confidence",
  low: "Low confidence",
  none: "No confident cause",
};
const BARS: Readonly<Record<Band, number>> = { high: 3, medium: 2, low: 1, none: 0 };
const SHAPES: Readonly<Record<Severity, string>> = { critical: "▲", warning: "◆", info: "■" };

/** Confidence as three bars and words. */
export function BandMark({ band, short = false }: { band: Band; short?: boolean }) {
  const words = short ? BANDS[band].replace(" confidence", "") : BANDS[band];
  return (
    <span class={`band ${band}`} title={BANDS[band]}>
      <svg width="20" height="12" viewBox="0 0 20 12" aria-hidden="true">
        {[4, 8, 12].map((height, k) => (
          <rect
            key={k}
            x={k * 7}
            y={12 - height}
            width="5"
            height={height}
            class={k < BARS[band] ? "on" : "off"}
          />
        ))}
      </svg>
      {words}
    </span>
  );
}

export function SeverityMark({ severity }: { severity: Severity }) {
  return (
    <span class={`severity ${severity}`}>
      <span aria-hidden="true">{SHAPES[severity]}</span> {severity}
    </span>
  );
}

export function StatusMark({ status }: { status: IncidentStatus }) {
  return (
    <span class={`status ${status}`}>
      <span aria-hidden="true">{status === "open" ? "●" : "✓"}</span> {status}
    </span>
  );
}

/** A time as its age; the exact one stands in the title. */
export function When({ unix }: { unix: number }) {
  return (
    <time dateTime={rfc3339(unix)} title={stamp(unix)}>
      {ago(unix, now.value)}
    </time>
  );
}

/** A series: the service in bold, what was measured beside it. */
export function SeriesName({ series }: { series: Series }) {
  return (
    <span class="series">
      <b>{series.service}</b> <Code text={metricOf(series)} />
    </span>
  );
}

/** A name in the machine's letters; lines may break behind its underscores. */
export function Code({ text }: { text: string }) {
  const parts = text.split(/(?<=[_.:/=])/);
  return (
    <code>
      {parts.map((part, k) => (k ? [<wbr key={k} />, part] : part))}
    </code>
  );
}

export function Chip({ children }: { children: preact.ComponentChildren }) {
  return <span class="chip">{children}</span>;
}

/** A share as a bar; the number stands beside it. */
export function Bar({ share: part }: { share: number }) {
  return (
    <svg class="bar" width="72" height="8" viewBox="0 0 72 8" aria-hidden="true">
      <rect class="track" width="72" height="8" rx="2" />
      <rect class="fill" width={Math.max(2, 72 * part)} height="8" rx="2" />
    </svg>
  );
}
