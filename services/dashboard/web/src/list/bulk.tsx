// What can be done to several incidents at once.
import { useState } from "preact/hooks";
import { acknowledge, merge, reopen, resolve, separate, unacknowledge } from "../api/deeds";
import { mayRespond } from "../api/session";
import type { Incident } from "../api/types";
import { asProblem } from "../state/resource";
import { count } from "../text/figures";
import { say } from "../ui/announce";
import { DialogForm } from "../ui/dialog";

export interface Desk {
  acknowledge: (items: readonly Incident[]) => Promise<void>;
  resolve: (items: readonly Incident[]) => Promise<void>;
  merge: (into: Incident, others: readonly Incident[]) => Promise<void>;
}

/** Deeds on the list; `changed` is called with what became of incidents, `reload` to look anew. */
export function desk(changed: (items: readonly Incident[]) => void, reload: () => void): Desk {
  const each = async (items: readonly Incident[], deed: (key: string) => Promise<Incident>) => {
    const done = await Promise.allSettled(items.map((item) => deed(item.name)));
    changed(done.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])));
    const failed = done.find((one) => one.status === "rejected");
    if (failed) throw failed.reason;
  };
  const tell = async (deed: () => Promise<void>, words: string, undo?: () => void) => {
    try {
      await deed();
      say(words, undo);
    } catch (error) {
      say(asProblem(error).message);
    }
  };
  return {
    acknowledge: (items) => {
      const fresh = items.filter((item) => item.acknowledged_unix === null);
      const words = `${names(items)} acknowledged.`;
      return tell(
        () => each(fresh, acknowledge),
        words,
        () => void tell(() => each(fresh, unacknowledge), "Taken back."),
      );
    },
    resolve: (items) => {
      const open = items.filter((item) => item.status === "open");
      if (open.length === 0) return tell(() => each(items, reopen), `${names(items)} reopened.`);
      return tell(
        () => each(open, resolve),
        `${names(open)} resolved.`,
        () => void tell(() => each(open, reopen), "Reopened."),
      );
    },
    merge: (into, others) => {
      const keys = others.map((item) => item.name);
      return tell(
        async () => {
          changed([await merge(into.name, keys)]);
          reload();
        },
        `${count(others.length, "incident")} merged into ${into.name}.`,
        () =>
          void tell(async () => {
            changed([await separate(into.name, keys)]);
            reload();
          }, "Taken back: they are incidents of their own again."),
      );
    },
  };
}

function names(items: readonly Incident[]): string {
  return items.length === 1 ? (items[0]?.name ?? "") : count(items.length, "incident");
}

export function BulkBar(props: {
  chosen: readonly Incident[];
  desk: Desk;
  onMerge: () => void;
  onClear: () => void;
}) {
  const { chosen } = props;
  const reader = !mayRespond();
  if (chosen.length === 0) return null;
  return (
    <div class="row bulk" role="region" aria-label="Selected incidents">
      <strong>{count(chosen.length, "incident")} selected</strong>
      <button type="button" class="plain" disabled={reader} onClick={() => void props.desk.acknowledge(chosen)}>
        Acknowledge
      </button>
      <button type="button" class="plain" disabled={reader} onClick={() => void props.desk.resolve(chosen)}>
        {chosen.some((item) => item.status === "open") ? "Resolve" : "Reopen"}
      </button>
      <button type="button" class="plain" disabled={chosen.length < 2 || reader} onClick={props.onMerge}>
        Merge …
      </button>
      <button type="button" class="link" onClick={props.onClear}>
        Clear selection
      </button>
    </div>
  );
}

/** Asks which of the incidents takes in the others: by itself the one that started first. */
export function MergeDialog(props: {
  items: readonly Incident[];
  onClose: () => void;
  onMerge: (into: Incident, others: readonly Incident[]) => void;
}) {
  const ordered = [...props.items].sort((a, b) => a.onset_unix - b.onset_unix);
  const [into, setInto] = useState(ordered[0]?.id ?? "");
  const target = ordered.find((item) => item.id === into);
  return (
    <DialogForm
      title={`Merge ${count(ordered.length, "incident")}`}
      deed="Merge"
      onClose={props.onClose}
      onChosen={() => {
        if (target) props.onMerge(target, ordered.filter((item) => item.id !== into));
      }}
    >
      <fieldset class="choices">
        <legend>Which one do the others go into?</legend>
        {ordered.map((item) => (
          <label key={item.id}>
            <input
              type="radio"
              name="into"
              checked={item.id === into}
              onChange={() => setInto(item.id)}
            />{" "}
            <b>{item.name}</b> {item.title}
          </label>
        ))}
      </fieldset>
      <p class="quiet">
        The other names keep answering and lead to it; it is diagnosed again. A merge can be taken
        back.
      </p>
    </DialogForm>
  );
}
