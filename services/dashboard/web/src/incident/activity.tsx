// Who did what when; lines are only ever added.
import { useState } from "preact/hooks";
import { comment } from "../api/deeds";
import { mayRespond } from "../api/session";
import { asProblem } from "../state/resource";
import { say } from "../ui/announce";
import { When } from "../ui/marks";
import type { TabProps } from "./tabs";

export function ActivityTab({ detail, activity, reload }: TabProps) {
  return (
    <>
      {mayRespond() && <CommentForm name={detail.incident.name} onSaid={reload} />}
      <ol class="activity plain-list">
        {[...activity].reverse().map((line) => (
          <li key={line.id}>
            <When unix={line.at_unix} />
            <span>
              <b>{line.actor || "Rootward"}</b> {WORDS[line.action] ?? line.action.replaceAll("_", " ")}
            </span>
            {line.text && <p class="said">{line.text}</p>}
          </li>
        ))}
      </ol>
      {activity.length === 0 && <p class="quiet">Nothing yet.</p>}
    </>
  );
}

const WORDS: Readonly<Record<string, string>> = {
  opened: "opened it",
  resolved: "resolved it",
  reopened: "reopened it",
  severity: "changed the severity",
  diagnosed: "diagnosed it",
  diagnosis_failed: "could not diagnose it",
  acknowledged: "acknowledged it",
  unacknowledged: "took the acknowledgement back",
  assigned: "assigned it",
  commented: "said",
  merged: "merged others into it",
  merged_into: "merged it into another",
  split: "split it",
  split_off: "split it off another",
  separated: "separated it again",
  linked: "linked it",
  unlinked: "took a link back",
  feedback: "judged a cause",
  outcome: "told what came of a step",
  notified: "notified",
};

function CommentForm({ name, onSaid }: { name: string; onSaid: () => void }) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async () => {
    if (!text.trim() || busy) return;
    setBusy(true);
    try {
      await comment(name, text.trim());
      setText("");
      onSaid();
    } catch (error) {
      say(asProblem(error).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      class="comment"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <label for="comment">Comment</label>
      <textarea
        id="comment"
        value={text}
        maxLength={10_000}
        placeholder="What was seen or done, for whoever comes next"
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" disabled={busy || !text.trim()}>
        Comment
      </button>
    </form>
  );
}
