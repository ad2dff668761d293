// Choosing other incidents, to merge them into this one or to link them.
import { useState } from "preact/hooks";
import { answer, api } from "../api/client";
import type { Incident } from "../api/types";
import { useResource } from "../state/resource";
import { count } from "../text/figures";
import { Dialog } from "../ui/dialog";
import { StatusMark, When } from "../ui/marks";

const SHOWN = 8;

export function OthersDialog(props: {
  title: string;
  /** What comes of it. */
  note: string;
  /** What the button says. */
  deed: string;
  incident: Incident;
  onClose: () => void;
  onChosen: (names: string[]) => void;
}) {
  const { incident } = props;
  const [words, setWords] = useState("");
  const [chosen, setChosen] = useState<readonly Incident[]>([]);
  const found = useResource(`others ${words}`, (signal) =>
    answer(api.GET("/api/v1/incidents", { params: { query: { q: words, limit: SHOWN } }, signal })),
  );
  const known = new Set([incident.id, ...chosen.map((one) => one.id)]);
  const offered = (found.data?.items ?? []).filter((one) => !known.has(one.id));
  const toggle = (one: Incident, on: boolean) =>
    setChosen(on ? [...chosen, one] : chosen.filter((other) => other.id !== one.id));
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (chosen.length === 0) return;
          props.onClose();
          props.onChosen(chosen.map((one) => one.name));
        }}
      >
        <div>
          <label for="others">Search incidents by name, title or service</label>
          <input
            id="others"
            type="search"
            class="wide"
            value={words}
            maxLength={200}
            autocomplete="off"
            onInput={(event) => setWords(event.currentTarget.value)}
          />
        </div>
        <fieldset class="choices">
          <legend class="hidden">Incidents</legend>
          {[...chosen, ...offered].map((one) => (
            <label key={one.id}>
              <input
                type="checkbox"
                checked={known.has(one.id)}
                onInput={(event) => toggle(one, event.currentTarget.checked)}
              />{" "}
              <b>{one.name}</b> {one.title}{" "}
              <span class="quiet">
                <StatusMark status={one.status} /> <When unix={one.onset_unix} />
              </span>
            </label>
          ))}
          {found.problem && <p class="bad">{found.problem.message}</p>}
          {found.data && offered.length + chosen.length === 0 && (
            <p class="quiet">No other incident {words ? "holds these words" : "is known"}.</p>
          )}
        </fieldset>
        <p class="quiet">{props.note}</p>
        <button type="submit" disabled={chosen.length === 0}>
          {props.deed} {chosen.length > 0 && count(chosen.length, "incident")}
        </button>
      </form>
    </Dialog>
  );
}
