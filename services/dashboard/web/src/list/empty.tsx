// A list with nothing in it: nothing sent yet, nothing happened, or nothing that matches.
import { useEffect, useRef } from "preact/hooks";
import { root } from "../api/client";
import { mayAdmin, me } from "../api/session";
import { useResource } from "../state/resource";
import { href } from "../state/route";
import { readStatus, system } from "../status/freshness";
import { count, number, span } from "../text/figures";
import { When } from "../ui/marks";
import { Banner, Copyable, Loading } from "../ui/states";
import { NEEDED_ROWS, rowsKnown } from "./learning";
import { isFiltered, type ListQuery } from "./query";

const WAITING_MS = 2000;
/** What the server calls whoever asks where no login is needed. */
const LOCAL = "local";

export function NoIncidents({ filtered, wanted }: { filtered: boolean; wanted: ListQuery }) {
  const status = system.value;
  if (!status) return <Loading what="what comes in" lines={3} />;
  if (status.last_sample_unix === null) return <NothingSent />;
  if (wanted.cursor || (filtered && !onlyOpen(wanted))) {
    return (
      <section class="empty">
        <h2>No incidents match</h2>
        <p>
          <a href={href("/")}>Show all incidents</a>
        </p>
      </section>
    );
  }
  return <AllQuiet />;
}

function onlyOpen(wanted: ListQuery): boolean {
  return wanted.status.join() === "open" && !isFiltered({ ...wanted, status: [] });
}

function AllQuiet() {
  const status = system.value;
  const known = useResource(`known ${status?.at ?? ""}`, (signal) =>
    status ? rowsKnown(status, signal) : Promise.resolve(NEEDED_ROWS),
  );
  const rows = useLast(known.data);
  if (!status) return null;
  if (rows !== undefined && rows < NEEDED_ROWS) return <StillLearning rows={rows} step={status.step_seconds} />;
  return (
    <section class="empty">
      <h2>All quiet</h2>
      <p>
        No incident {status.open_incidents === 0 ? "is open" : "matches"}. Watching{" "}
        <strong>{count(status.series, "series", "series")}</strong> of{" "}
        <strong>{count(status.services.length, "service")}</strong>
        {status.last_sample_unix !== null && (
          <>
            ; the last sample came <When unix={status.last_sample_unix} />
          </>
        )}
        .
      </p>
      <p>
        <a href={href("/status")}>See what comes in</a>
      </p>
    </section>
  );
}

/** The last value that was known, while the next one is on its way. */
function useLast<T>(value: T | undefined): T | undefined {
  const last = useRef(value);
  if (value !== undefined) last.current = value;
  return last.current;
}

function StillLearning({ rows, step }: { rows: number; step: number }) {
  return (
    <section class="empty">
      <h2>Still learning what normal looks like</h2>
      <p role="status">
        <progress value={rows} max={NEEDED_ROWS} aria-label="Rows known" />{" "}
        {rows} of {NEEDED_ROWS} rows of {span(step)} each; about{" "}
        {span((NEEDED_ROWS - rows) * step)} to go.
      </p>
      <p>
        Until then no series can be said to have left its baseline, and no incident opens by itself.
        Alerts open incidents already, and methods can be run on them.
      </p>
      <p>
        <a href={href("/status")}>See what comes in</a>
      </p>
    </section>
  );
}

function NothingSent() {
  useEffect(() => {
    const timer = setInterval(() => void readStatus(), WAITING_MS);
    return () => clearInterval(timer);
  }, []);
  const address = location.origin + root;
  return (
    <section class="empty wide">
      <h2>No data yet</h2>
      <p role="status" aria-live="polite" class="counter">
        <strong>{number(system.value?.series ?? 0)}</strong> series received so far; this moves by
        itself.
      </p>
      <AllRefused />
      {me.value && me.value.name !== LOCAL && (
        <p>
          Access is set up here: a sender shows a token that may <code>ingest</code>.{" "}
          {mayAdmin() ? <a href={href("/access")}>Make one</a> : "Ask an admin for one."}
        </p>
      )}
      <h3>From Prometheus</h3>
      <p>
        Add this to <code>prometheus.yml</code> and reload it. The label <code>service</code> says
        whom a series tells about; where it is missing, <code>app</code>, <code>container</code> or{" "}
        <code>job</code> stands in.
      </p>
      <Copyable label="Set-up for Prometheus" text={prometheus(address)} />
      <h3>From OpenTelemetry</h3>
      <p>In the collector, or with the same address in the SDK.</p>
      <Copyable label="Set-up for OpenTelemetry" text={otlp(address)} />
      <h3>Alerts, from Alertmanager</h3>
      <Copyable label="Set-up for Alertmanager" text={alertmanager(address)} />
      <h3>By hand, to try it</h3>
      <Copyable label="One sample by hand" text={byHand(address)} />
    </section>
  );
}

/** Something is sent, and all of it refused: whoever waits here must know. */
function AllRefused() {
  const refused = (system.value?.rejected ?? []).filter((one) => one.samples > 0);
  if (refused.length === 0) return null;
  const reasons = refused.map((one) => `${number(one.samples)} ${one.reason.replaceAll("_", " ")}`);
  return (
    <Banner kind="bad" title="Samples come, and are refused:">
      {reasons.join(", ")}. <a href={href("/status")}>See the status</a>
    </Banner>
  );
}

function prometheus(address: string): string {
  return `remote_write:\n  - url: ${address}/api/v1/write`;
}

function otlp(address: string): string {
  return [
    "exporters:",
    "  otlphttp/rootward:",
    `    metrics_endpoint: ${address}/v1/metrics`,
    "service:",
    "  pipelines:",
    "    metrics:",
    "      exporters: [otlphttp/rootward]",
  ].join("\n");
}

function alertmanager(address: string): string {
  return [
    "receivers:",
    "  - name: rootward",
    "    webhook_configs:",
    `      - url: ${address}/api/v1/alerts`,
    "        send_resolved: true",
  ].join("\n");
}

function byHand(address: string): string {
  return [
    `curl -H 'Content-Type: application/json' ${address}/api/v1/samples \\`,
    `  -d '{"samples": [{"service": "checkout", "metric": "latency_seconds",`,
    `       "time": '$(date +%s)', "value": 0.21}]}'`,
  ].join("\n");
}
