// What stays in sight while the page is read: which incident, in what state, what can be done.
import { useState } from "preact/hooks";
import { mayRespond } from "../api/session";
import type { Incident, IncidentDetail } from "../api/types";
import { live } from "../state/live";
import { DialogForm } from "../ui/dialog";
import { Field } from "../ui/field";
import { SeverityMark, StatusMark } from "../ui/marks";
import { Elapsed } from "./elapsed";
import { More } from "./more";
import type { IncidentDesk } from "./work";

export function IncidentHeader(props: {
  detail: IncidentDetail;
  desk: IncidentDesk;
  reload: () => void;
}) {
  const { desk } = props;
  const { incident } = props.detail;
  const seen = incident.acknowledged_unix !== null;
  const reader = !mayRespond();
  return (
    <header class="incident-head">
      <div class="incident-line">
        <SeverityMark severity={incident.severity} />
        <StatusMark status={incident.status} />
        <b class="id">{incident.name}</b>
        <Elapsed incident={incident} />
        <Whose incident={incident} />
        {live.value === "on" && incident.status === "open" && (
          <span class="quiet" title="Changes appear here by themselves">
            <span class="dot" aria-hidden="true" /> live
          </span>
        )}
      </div>
      <div class="row actions">
        <button
          type="button"
          class={seen ? "plain" : ""}
          aria-pressed={seen}
          disabled={reader}
          onClick={() => void desk.acknowledge()}
        >
          {seen ? "Acknowledged" : "Acknowledge"}
        </button>
        <Assign incident={incident} desk={desk} disabled={reader} />
        <button type="button" class="plain" disabled={reader} onClick={() => void desk.resolve()}>
          {incident.status === "open" ? "Resolve" : "Reopen"}
        </button>
        <More detail={props.detail} desk={desk} reload={props.reload} />
      </div>
      <p class="subject">
        {incident.title}
        {reader && <span class="quiet"> You may read; to work on incidents, ask an admin for the role of a responder.</span>}
      </p>
    </header>
  );
}

function Whose({ incident }: { incident: Incident }) {
  const parts = [
    incident.assignee && `assigned to ${incident.assignee}`,
    incident.acknowledged_by && `acknowledged by ${incident.acknowledged_by}`,
  ].filter(Boolean);
  return parts.length > 0 ? <span class="quiet">{parts.join(", ")}</span> : null;
}

function Assign(props: { incident: Incident; desk: IncidentDesk; disabled: boolean }) {
  const { incident, desk } = props;
  const [open, setOpen] = useState(false);
  const [to, setTo] = useState(incident.assignee);
  return (
    <>
      <button type="button" class="plain" disabled={props.disabled} onClick={() => setOpen(true)}>
        Assign
      </button>
      {open && (
        <DialogForm
          title={`Who has ${incident.name}?`}
          deed="Assign"
          onClose={() => setOpen(false)}
          onChosen={() => void desk.assign(to.trim())}
        >
          <Field id="assignee" label="Name, empty for nobody" value={to} set={setTo} />
        </DialogForm>
      )}
    </>
  );
}
