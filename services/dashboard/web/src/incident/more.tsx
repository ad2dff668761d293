// What is done to an incident less often: merge, split, link, diagnose again, print.
import { useState } from "preact/hooks";
import { answer, api, once } from "../api/client";
import { mayRespond } from "../api/session";
import type { IncidentDetail } from "../api/types";
import { asProblem } from "../state/resource";
import { href } from "../state/route";
import { say } from "../ui/announce";
import { Menu, MenuItem } from "../ui/menu";
import { OthersDialog } from "./others";
import { SplitDialog } from "./splitting";
import type { IncidentDesk } from "./work";

type Asked = "merge" | "split" | "link";

const TOGETHER = {
  merge: {
    title: "Merge others into",
    note: "Their names keep answering and lead here; it is diagnosed again. A merge can be taken back.",
    deed: "Merge",
  },
  link: {
    title: "Link others to",
    note: "Each stays an incident of its own and shows the other as related.",
    deed: "Link",
  },
} as const;

export function More(props: { detail: IncidentDetail; desk: IncidentDesk; reload: () => void }) {
  const { detail, desk, reload } = props;
  const { incident } = detail;
  const [asked, setAsked] = useState<Asked>();
  const close = () => setAsked(undefined);
  const key = encodeURIComponent(incident.name);
  return (
    <>
      <Menu words="More" class="button plain">
        {mayRespond() && (
          <>
            <MenuItem words="Diagnose again" onChosen={() => void diagnoseAgain(incident.name, reload)} />
            <MenuItem words="Merge others into it …" onChosen={() => setAsked("merge")} />
            <MenuItem words="Split it …" onChosen={() => setAsked("split")} />
            <MenuItem words="Link others …" onChosen={() => setAsked("link")} />
          </>
        )}
        <li>
          <a href={href(`/incidents/${key}/report`)}>Report to print</a>
        </li>
      </Menu>
      {asked === "split" && (
        <SplitDialog detail={detail} onClose={close} onChosen={(services, title) => void desk.split(services, title)} />
      )}
      {(asked === "merge" || asked === "link") && (
        <OthersDialog
          {...TOGETHER[asked]}
          title={`${TOGETHER[asked].title} ${incident.name}`}
          incident={incident}
          onClose={close}
          onChosen={(names) => void desk[asked](names)}
        />
      )}
    </>
  );
}

/** Ask for another diagnosis; the page shows it when it is there. */
export async function diagnoseAgain(key: string, reload: () => void): Promise<void> {
  try {
    await answer(
      api.POST("/api/v1/incidents/{key}/diagnose", { params: { path: { key } }, headers: once() }),
    );
    say("Queued: the diagnosis appears here when it is ready.");
    reload();
  } catch (error) {
    say(asProblem(error).message);
  }
}
