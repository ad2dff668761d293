// What comes in, how fresh it is, what waits, and whether every part answers.
import type { Status } from "../api/types";
import { now } from "../state/clock";
import { count, number, quantity, share, span } from "../text/figures";
import { stamp } from "../text/times";
import { When } from "../ui/marks";
import { Failed, Loading, Scroll } from "../ui/states";
import { useTitle } from "../ui/title";
import { OwnAccuracy } from "./accuracy";
import { readStatus, silence, system } from "./freshness";
import { Processes } from "./processes";

const LATE_SECONDS = 180;

export function StatusPage() {
  useTitle("Status");
  const status = system.value;
  return (
    <>
      <div class="page-head">
        <h1>Status</h1>
      </div>
      {!status && silence.value && <Failed problem={silence.value} retry={() => void readStatus()} />}
      {!status && !silence.value && <Loading what="the status" />}
      {status && <Overview status={status} />}
    </>
  );
}

function Overview({ status }: { status: Status }) {
  const wrong = fault(status);
  return (
    <>
      <p class={wrong ? "verdict bad" : "verdict good"}>
        <span aria-hidden="true">{wrong ? "✕" : "✓"}</span> {wrong || "Everything answers."}
      </p>
      <dl class="facts big">
        <Fact name="Series" value={number(status.series)} more={count(status.services.length, "service")} />
        <Fact
          name="Last sample"
          value={status.last_sample_unix === null ? "none yet" : <When unix={status.last_sample_unix} />}
          more={status.last_sample_unix === null ? "" : stamp(status.last_sample_unix)}
        />
        <Fact name="Waiting to be looked at" value={number(status.bus_backlog)} more="messages" />
        <Fact name="Waiting to be run" value={number(status.jobs_backlog)} more="jobs" />
        <Fact name="Open incidents" value={number(status.open_incidents)} more="" />
        {status.takes_in && (
          <>
            <Fact
              name="Taken in"
              value={number(status.received)}
              more={`samples, ${number(status.received_per_second)} a second lately`}
            />
            <Fact name="Refused" value={number(refused(status))} more={refusedShare(status)} />
          </>
        )}
        {status.storage && <Room storage={status.storage} />}
        <Fact name="Version" value={status.version} more={count(status.methods, "method")} />
      </dl>
      <section aria-labelledby="h-checks">
        <h2 id="h-checks">Parts</h2>
        <ul class="plain-list checks">
          {status.checks.map((check) => (
            <li key={check.name} class={check.ok ? "" : "bad"}>
              <span aria-hidden="true">{check.ok ? "✓" : "✕"}</span> {check.name}{" "}
              {check.ok ? "answers" : `does not answer: ${check.reason}`}
            </li>
          ))}
        </ul>
      </section>
      <Refused status={status} />
      <Inflow status={status} />
      <Processes status={status} />
      <OwnAccuracy />
      <Versions versions={status.versions} />
    </>
  );
}

function fault(status: Status): string {
  if (status.checks.some((check) => !check.ok)) return "A part does not answer.";
  const silent = status.processes.filter((one) => one.state === "silent");
  if (silent.length === 0) return "";
  return `${silent.map((one) => one.name).join(", ")} fell silent without an end.`;
}

function refused(status: Status): number {
  return status.rejected.reduce((sum, one) => sum + one.samples, 0);
}

function refusedShare(status: Status): string {
  const all = status.received + refused(status);
  return all === 0 ? "samples" : `samples, ${share(refused(status) / all)} of what was sent`;
}

function Room({ storage }: { storage: NonNullable<Status["storage"]> }) {
  const free = storage.free_bytes === null ? "" : `${quantity(storage.free_bytes, "B")} free`;
  return <Fact name="Database" value={quantity(storage.used_bytes, "B")} more={`${storage.kind}, ${free}`} />;
}

function Refused({ status }: { status: Status }) {
  const some = status.rejected
    .filter((one) => one.samples > 0)
    .sort((a, b) => b.samples - a.samples);
  if (some.length === 0 && status.dead_letters === 0) return null;
  return (
    <section aria-labelledby="h-refused">
      <h2 id="h-refused">What was refused, and why</h2>
      <Scroll label="What was refused, and why">
        <table>
          <thead>
            <tr>
              <th scope="col">Reason</th>
              <th scope="col" class="num">
                Samples
              </th>
            </tr>
          </thead>
          <tbody>
            {some.map((one) => (
              <tr key={one.reason}>
                <th scope="row">{one.reason.replaceAll("_", " ")}</th>
                <td class="num">{number(one.samples)}</td>
              </tr>
            ))}
            {status.dead_letters > 0 && (
              <tr>
                <th scope="row">given up on (dead letters)</th>
                <td class="num">{number(status.dead_letters)}</td>
              </tr>
            )}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

function Versions({ versions }: { versions: Record<string, string> }) {
  const parts = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return <p class="quiet versions">{parts.join(", ")}</p>;
}

function Fact(props: { name: string; value: preact.ComponentChildren; more: string }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>
        {props.value} {props.more && <small>{props.more}</small>}
      </dd>
    </div>
  );
}

function Inflow({ status }: { status: Status }) {
  if (status.services.length === 0) return null;
  const ordered = [...status.services].sort((a, b) => a.last_unix - b.last_unix);
  return (
    <section aria-labelledby="h-inflow">
      <h2 id="h-inflow">What comes in</h2>
      <Scroll label="What comes in, service by service">
        <table>
          <thead>
            <tr>
              <th scope="col">Service</th>
              <th scope="col" class="num">
                Series
              </th>
              <th scope="col">Last sample</th>
              <th scope="col">State</th>
            </tr>
          </thead>
          <tbody>
            {ordered.map((one) => (
              <tr key={one.service}>
                <th scope="row">{one.service || "(no service)"}</th>
                <td class="num">{number(one.series)}</td>
                <td>
                  <When unix={one.last_unix} />
                </td>
                <td>{freshness(one.last_unix)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

function freshness(last: number): preact.JSX.Element {
  const age = now.value - last;
  if (age <= LATE_SECONDS) return <span>✓ fresh</span>;
  return <span class="bad">! silent for {span(Math.round(age))}</span>;
}
