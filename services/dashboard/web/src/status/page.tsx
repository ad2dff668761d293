// What comes in, how fresh it is, what waits, and whether every part answers.
import type { Status } from "../api/types";
import { now } from "../state/clock";
import { count, number, span } from "../text/figures";
import { stamp } from "../text/times";
import { When } from "../ui/marks";
import { Failed, Loading, Scroll } from "../ui/states";
import { useTitle } from "../ui/title";
import { readStatus, silence, system } from "./freshness";

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
  const sound = status.checks.every((check) => check.ok);
  return (
    <>
      <p class={sound ? "verdict good" : "verdict bad"}>
        <span aria-hidden="true">{sound ? "✓" : "✕"}</span>{" "}
        {sound ? "Everything answers." : "A part does not answer."}
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
      <Inflow status={status} />
    </>
  );
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
