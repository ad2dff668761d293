// Giving some of an incident's services an incident of their own.
import { useState } from "preact/hooks";
import type { IncidentDetail } from "../api/types";
import { count } from "../text/figures";
import { Choices } from "../ui/choices";
import { DialogForm } from "../ui/dialog";
import { Field } from "../ui/field";

export function SplitDialog(props: {
  detail: IncidentDetail;
  onClose: () => void;
  onChosen: (services: string[], title: string) => void;
}) {
  const { incident, changes } = props.detail;
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [title, setTitle] = useState("");
  const services = [...new Set(changes.map((one) => one.series.service))].sort();
  const many = (service: string) => changes.filter((one) => one.series.service === service).length;
  const movable = services.filter((service) => service !== incident.symptom.service);
  return (
    <DialogForm
      title={`Split ${incident.name}`}
      deed={<>Split off {chosen.length > 0 && count(chosen.length, "service")}</>}
      ready={chosen.length > 0}
      onClose={props.onClose}
      onChosen={() => props.onChosen([...chosen], title.trim())}
    >
      <Choices
        legend="Which services get an incident of their own?"
        all={movable.map((service) => ({
          key: service,
          name: service,
          more: <span class="quiet">{count(many(service), "change")}</span>,
        }))}
        chosen={chosen}
        choose={setChosen}
      />
      <p class="quiet">
        {movable.length === 0
          ? "All its changes are of one service: there is nothing to split off."
          : `${incident.symptom.service} stays: it has the symptom. The two incidents are linked.`}
      </p>
      <Field
        id="split-title"
        label="Title, empty for one made from its largest change"
        value={title}
        set={setTitle}
      />
    </DialogForm>
  );
}
