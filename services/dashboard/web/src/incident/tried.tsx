// What is worth most next, and what came of what was tried. Nothing is ever done by itself.
import { useState } from "preact/hooks";
import { tellOutcome } from "../api/deeds";
import { mayRespond } from "../api/session";
import type { IncidentDetail, Outcome, Suggestion } from "../api/types";
import { href } from "../state/route";
import { number, quantity, share } from "../text/figures";
import { say } from "../ui/announce";
import { DialogForm } from "../ui/dialog";
import { When } from "../ui/marks";
import { answers, lastSaid, question, teller, type Helped } from "./steps";

/** A step on a service, as suggestions and outcomes both name it. */
type Step = Pick<Suggestion, "action" | "service" | "step" | "remedy">;

export function Steps({ detail, reload }: { detail: IncidentDetail; reload: () => void }) {
  const { suggestions, outcomes, incident } = detail;
  const open = incident.status === "open" ? suggestions : [];
  if (open.length === 0 && outcomes.length === 0) return null;
  return (
    <section class="trying" aria-labelledby="h-trying">
      <h2 id="h-trying">{open.length > 0 ? "Worth trying next" : "What was tried"}</h2>
      {open.length > 0 && <WorthMost incident={incident.name} suggestions={open} onTold={reload} />}
      {outcomes.length > 0 && (
        <Tried incident={incident.name} outcomes={outcomes} onTold={reload} headed={open.length > 0} />
      )}
    </section>
  );
}

function WorthMost(props: {
  incident: string;
  suggestions: readonly Suggestion[];
  onTold: () => void;
}) {
  const whole = `/incidents/${encodeURIComponent(props.incident)}?tab=methods#analysis-next_check`;
  return (
    <>
      <ol>
        {props.suggestions.map((one) => (
          <li key={one.step}>
            <b>{capital(one.step)}</b> <span class="quiet">({one.remedy ? "remedy" : "check"})</span>{" "}
            may save {quantity(one.gain_minutes, "min")}, {number(one.low_minutes)} to{" "}
            {number(one.high_minutes)} in nine of ten; of all steps the best with a chance of{" "}
            {share(one.best)}.
            <p class="quiet">Why: {one.why}.</p>
            <Answers incident={props.incident} step={one} onTold={props.onTold} />
          </li>
        ))}
      </ol>
      <p class="quiet">
        Rootward does none of it by itself. <a href={href(whole)}>How this was worked out</a>
      </p>
    </>
  );
}

function Tried(props: {
  incident: string;
  outcomes: readonly Outcome[];
  onTold: () => void;
  headed: boolean;
}) {
  return (
    <>
      {props.headed && <h3>Tried so far</h3>}
      <ul class="plain-list">
        {props.outcomes.map((one) => (
          <li key={`${one.incident_id} ${one.step} ${one.actor}`}>
            <b>{capital(one.step)}</b>: {one.came_of_it}{" "}
            <span class="quiet">
              – {teller(one)} <When unix={one.at_unix} />
              {one.note && `: ${one.note}`}
            </span>
            <Answers incident={props.incident} step={one} last={one} onTold={props.onTold} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Answers(props: {
  incident: string;
  step: Step;
  last?: Outcome;
  onTold: () => void;
}) {
  const { step } = props;
  const [asked, setAsked] = useState<{ helped: Helped; words: string }>();
  const said = lastSaid(props.last);
  return (
    <div class="row feedback" role="group" aria-label={question(step.step, step.service, step.remedy)}>
      {answers(step.remedy).map(([helped, shape, words]) => (
        <button
          key={words}
          type="button"
          class="plain"
          disabled={!mayRespond()}
          aria-pressed={said === helped}
          title={`${words}: ${step.step}`}
          onClick={() => setAsked({ helped, words })}
        >
          <span aria-hidden="true">{shape}</span> {words}
        </button>
      ))}
      {asked && <Ask {...props} {...asked} onClose={() => setAsked(undefined)} />}
    </div>
  );
}

function Ask(props: {
  incident: string;
  step: Step;
  helped: Helped;
  words: string;
  onClose: () => void;
  onTold: () => void;
}) {
  const [note, setNote] = useState("");
  const { step, helped, words } = props;
  return (
    <DialogForm
      title={`${capital(step.step)}: ${words.toLowerCase()}`}
      deed="Keep"
      onClose={props.onClose}
      onChosen={async () => {
        await tellOutcome(props.incident, step.action, step.service, helped, note.trim());
        say(`Kept: ${step.step}, ${words.toLowerCase()}.`);
        props.onTold();
      }}
    >
      {helped === null && (
        <p>
          It counts as tried now. A quarter of an hour on, the symptom says: it helped if all was back
          at its baseline within 10 minutes and stayed so.
        </p>
      )}
      <label for="note">What makes you say so? (may stay empty)</label>
      <textarea
        id="note"
        value={note}
        maxLength={2000}
        onInput={(event) => setNote(event.currentTarget.value)}
      />
    </DialogForm>
  );
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
