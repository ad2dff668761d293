// Was this the cause? What people say is kept, and counts as our own accuracy.
import { useState } from "preact/hooks";
import { giveFeedback } from "../api/deeds";
import { mayRespond } from "../api/session";
import type { Feedback, Verdict } from "../api/types";
import { say } from "../ui/announce";
import { DialogForm } from "../ui/dialog";
import { When } from "../ui/marks";

const VERDICTS: readonly (readonly [Verdict, string, string])[] = [
  ["confirmed", "✓", "Confirm"],
  ["partly", "◐", "Partly"],
  ["rejected", "✕", "Reject"],
];
const SAID: Readonly<Record<Verdict, string>> = {
  confirmed: "confirmed",
  partly: "partly confirmed",
  rejected: "rejected",
};

export function FeedbackOn(props: {
  incident: string;
  service: string;
  /** Without words beside the signs, where the row has little room. */
  short: boolean;
  said: readonly Feedback[];
  onSaid: () => void;
}) {
  const { service } = props;
  const [verdict, setVerdict] = useState<Verdict>();
  const last = props.said.filter((one) => one.service === service).at(-1);
  return (
    <div class="row feedback" role="group" aria-label={`Was ${service} the cause?`}>
      {!props.short && <span class="quiet">Was it the cause?</span>}
      {VERDICTS.map(([value, shape, words]) => (
        <button
          key={value}
          type="button"
          class="plain"
          disabled={!mayRespond()}
          aria-pressed={last?.verdict === value}
          aria-label={props.short ? words : undefined}
          title={`${words}: ${service}`}
          onClick={() => setVerdict(value)}
        >
          <span aria-hidden="true">{shape}</span> {!props.short && words}
        </button>
      ))}
      {last && (
        <span class="quiet">
          {SAID[last.verdict]} by {last.actor || "somebody"} <When unix={last.at_unix} />
          {last.reason && `: ${last.reason}`}
        </span>
      )}
      {verdict && (
        <Ask
          {...props}
          verdict={verdict}
          onClose={() => setVerdict(undefined)}
        />
      )}
    </div>
  );
}

function Ask(props: {
  incident: string;
  service: string;
  verdict: Verdict;
  onClose: () => void;
  onSaid: () => void;
}) {
  const [reason, setReason] = useState("");
  return (
    <DialogForm
      title={`${props.service}: ${SAID[props.verdict]}`}
      deed="Keep"
      onClose={props.onClose}
      onChosen={async () => {
        await giveFeedback(props.incident, props.service, props.verdict, reason.trim());
        say(`Kept: ${props.service} ${SAID[props.verdict]}.`);
        props.onSaid();
      }}
    >
      <label for="reason">What makes you say so? (may stay empty)</label>
      <textarea
        id="reason"
        value={reason}
        maxLength={2000}
        onInput={(event) => setReason(event.currentTarget.value)}
      />
    </DialogForm>
  );
}
