// Giving some of an incident's services an incident of their own.
import { useState } from "preact/hooks";
import type { IncidentDetail } from "../api/types";
import { count } from "../text/figures";
import { Dialog } from "../ui/dialog";

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
    <Dialog title={`Split ${incident.name}`} onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (chosen.length === 0) return;
          props.onClose();
          props.onChosen([...chosen], title.trim());
        }}
      >
        <fieldset class="choices">
          <legend>Which services get an incident of their own?</legend>
          {movable.map((service) => (
            <label key={service}>
              <input
                type="checkbox"
                checked={chosen.includes(service)}
                onInput={(event) =>
                  setChosen(
                    event.currentTarget.checked
                      ? [...chosen, service]
                      : chosen.filter((other) => other !== service),
                  )
                }
              />{" "}
              <b>{service}</b> <span class="quiet">{count(many(service), "change")}</span>
            </label>
          ))}
        </fieldset>
        <p class="quiet">
          {movable.length === 0
            ? "All its changes are of one service: there is nothing to split off."
            : `${incident.symptom.service} stays: it has the symptom. The two incidents are linked.`}
        </p>
        <div>
          <label for="split-title">Title, empty for one made from its largest change</label>
          <input
            id="split-title"
            class="wide"
            value={title}
            maxLength={200}
            autocomplete="off"
            onInput={(event) => setTitle(event.currentTarget.value)}
          />
        </div>
        <button type="submit" disabled={chosen.length === 0}>
          Split off {chosen.length > 0 && count(chosen.length, "service")}
        </button>
      </form>
    </Dialog>
  );
}
