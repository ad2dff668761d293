// Choosing other incidents, to merge them into this one or to link them.
import { useState } from "preact/hooks";
import { answer, api } from "../api/client";
import type { Incident } from "../api/types";
import { useResource } from "../state/resource";
import { count } from "../text/figures";
import { Choices } from "../ui/choices";
import { DialogForm } from "../ui/dialog";
import { Field } from "../ui/field";
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
  const [words, setWords] = useState("");
  const [chosen, setChosen] = useState<readonly Incident[]>([]);
  const found = useResource(`others ${words}`, (signal) =>
    answer(api.GET("/api/v1/incidents", { params: { query: { q: words, limit: SHOWN } }, signal })),
  );
  const known = new Set([props.incident.id, ...chosen.map((one) => one.id)]);
  const all = [...chosen, ...(found.data?.items ?? []).filter((one) => !known.has(one.id))];
  return (
    <DialogForm
      title={props.title}
      deed={
        <>
          {props.deed} {chosen.length > 0 && count(chosen.length, "incident")}
        </>
      }
      ready={chosen.length > 0}
      onClose={props.onClose}
      onChosen={() => props.onChosen(chosen.map((one) => one.name))}
    >
      <Field
        id="others"
        label="Search incidents by name, title or service"
        type="search"
        value={words}
        set={setWords}
      />
      <Choices
        legend={<span class="hidden">Incidents</span>}
        all={all.map((one) => ({ key: one.id, name: one.name, more: <Told incident={one} /> }))}
        chosen={chosen.map((one) => one.id)}
        choose={(ids) => setChosen(all.filter((one) => ids.includes(one.id)))}
      >
        {found.problem && <p class="bad">{found.problem.message}</p>}
        {found.data && all.length === 0 && (
          <p class="quiet">No other incident {words ? "holds these words" : "is known"}.</p>
        )}
      </Choices>
      <p class="quiet">{props.note}</p>
    </DialogForm>
  );
}

function Told({ incident }: { incident: Incident }) {
  return (
    <>
      {incident.title}{" "}
      <span class="quiet">
        <StatusMark status={incident.status} /> <When unix={incident.onset_unix} />
      </span>
    </>
  );
}
