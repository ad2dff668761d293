// One incident: the answer first, its evidence below, how it was made last.
import { answer, api } from "../api/client";
import type { IncidentDetail } from "../api/types";
import { useLive } from "../state/live";
import { useResource } from "../state/resource";
import { go } from "../state/route";
import { useKeys } from "../ui/keys";
import { Failed, Loading } from "../ui/states";
import { useTitle } from "../ui/title";
import { Causes } from "./causes";
import { Conclusion } from "./conclusion";
import { IncidentHeader } from "./header";
import { Impact } from "./impact";

export function Incident({ name }: { name: string }) {
  const found = useResource(name, (signal) =>
    answer(api.GET("/api/v1/incidents/{key}", { params: { path: { key: name } }, signal })),
  );
  const detail = found.data;
  useTitle(detail ? `${detail.incident.name} ${detail.incident.title}` : name);
  useLive(
    (event) => event.incident === "" || event.incident === detail?.incident.id,
    found.reload,
  );
  useKeys({ u: () => go("/") });
  if (detail) return <Whole detail={detail} reload={() => void found.reload()} />;
  if (found.problem) return <Failed problem={found.problem} retry={() => void found.reload()} />;
  return <Loading what={name} lines={9} />;
}

function Whole({ detail, reload }: { detail: IncidentDetail; reload: () => void }) {
  return (
    <article class="incident">
      <IncidentHeader detail={detail} reload={reload} />
      <Conclusion detail={detail} reload={reload} />
      <Impact detail={detail} />
      {detail.diagnosis && <Causes detail={detail} diagnosis={detail.diagnosis} />}
    </article>
  );
}
