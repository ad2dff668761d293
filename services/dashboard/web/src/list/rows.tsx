// The table of incidents.

import type { Incident } from "../api/types";
import { href } from "../state/route";
import { now } from "../state/clock";
import { span } from "../text/figures";
import { only } from "./query";
import { BandMark, SeverityMark, StatusMark, When } from "../ui/marks";

const SERVICES = 4;

export function Rows(props: {
  items: readonly Incident[];
  at: number;
  links: { current: (HTMLAnchorElement | null)[] };
  chosen: ReadonlySet<string>;
  onAt: (row: number) => void;
  onChoose: (id: string) => void;
}) {
  return (
    <table class="incidents">
      <caption class="hidden">Incidents, newest first</caption>
      <thead>
        <tr>
          <th scope="col">
            <span class="hidden">Select</span>
          </th>
          <th scope="col">State</th>
          <th scope="col">Incident</th>
          <th scope="col">Most likely cause</th>
          <th scope="col">Assignee</th>
          <th scope="col">Started</th>
          <th scope="col" class="num">
            Lasted
          </th>
        </tr>
      </thead>
      <tbody>
        {props.items.map((item, k) => (
          <tr
            key={item.id}
            class={`${item.status} ${item.severity}${k === props.at ? " at" : ""}`}
            onFocusIn={() => props.onAt(k)}
          >
            <td class="choose">
              <input
                type="checkbox"
                aria-label={`Select ${item.name}`}
                checked={props.chosen.has(item.id)}
                onChange={() => props.onChoose(item.id)}
              />
            </td>
            <td class="state">
              <SeverityMark severity={item.severity} />
              <State incident={item} />
            </td>
            <th scope="row" class="what">
              <a
                href={href(`/incidents/${encodeURIComponent(item.name)}`)}
                ref={(link) => {
                  props.links.current[k] = link;
                }}
              >
                <span class="id">{item.name}</span> {item.title}
              </a>
              <Services names={item.services} />
            </th>
            <td class="cause">
              <Cause incident={item} />
            </td>
            <td class={item.assignee ? "assignee" : "assignee nobody"}>
              {item.assignee || <span class="quiet">nobody</span>}
            </td>
            <td class="time">
              <When unix={item.onset_unix} />
            </td>
            <td class="time num">{lasted(item)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function State({ incident }: { incident: Incident }) {
  if (incident.status === "open" && incident.acknowledged_unix !== null) {
    return (
      <span class="status open" title={`acknowledged by ${incident.acknowledged_by}`}>
        <span aria-hidden="true">◐</span> acknowledged
      </span>
    );
  }
  return <StatusMark status={incident.status} />;
}

function lasted(item: Incident): string {
  const end = item.resolved_unix ?? now.value;
  const length = span(Math.max(0, Math.round(end - item.onset_unix)));
  return item.status === "open" ? `${length} so far` : length;
}

function Services({ names }: { names: readonly string[] }) {
  return (
    <span class="services">
      {names.slice(0, SERVICES).map((name) => (
        <a key={name} class="chip" href={href(only("service", name))}>
          {name}
        </a>
      ))}
      {names.length > SERVICES && <span class="quiet">+{names.length - SERVICES}</span>}
    </span>
  );
}

function Cause({ incident }: { incident: Incident }) {
  const found = incident.diagnosis;
  if (found.state === "pending") return <span class="quiet">looking for the cause …</span>;
  if (found.state === "failed") {
    return (
      <span class="bad">
        <span aria-hidden="true">✕</span> diagnosis failed
      </span>
    );
  }
  if (found.abstained) {
    return (
      <>
        <BandMark band="none" />
        {found.first_cause && <span class="quiet">nearest: {found.first_cause} (weak)</span>}
      </>
    );
  }
  return (
    <>
      <b>{found.first_cause}</b>
      {found.band && <BandMark band={found.band} />}
    </>
  );
}
