// One incident: the answer first, its evidence below, how it was made last.
import { answer, api } from "../api/client";
import type { Happening, IncidentDetail } from "../api/types";
import { useLive } from "../state/live";
import { useResource } from "../state/resource";
import { go } from "../state/route";
import { useKeys } from "../ui/keys";
import { Banner, Failed, Loading } from "../ui/states";
import { useTitle } from "../ui/title";
import { Causes } from "./causes";
import { Conclusion } from "./conclusion";
import { Evidence } from "./evidence";
import { useFiner } from "./finer";
import { ThreeGroups } from "./groups";
import { IncidentHeader } from "./header";
import { Impact } from "./impact";
import { Opinions } from "./opinions";
import { NextSteps } from "./next";
import { Overlay } from "./overlay";
import { RelatedIncidents } from "./related";
import { Spread } from "./spread";
import { Steps } from "./tried";
import { Tabs } from "./tabs";
import { Timeline } from "./timeline";
import { work } from "./work";
import { zoomRange } from "./zoom";

export function Incident({ name }: { name: string }) {
  const path = { path: { key: name } };
  const found = useResource(name, (signal) =>
    answer(api.GET("/api/v1/incidents/{key}", { params: path, signal })),
  );
  const log = useResource(`${name} activity`, (signal) =>
    answer(api.GET("/api/v1/incidents/{key}/activity", { params: path, signal })),
  );
  const lanes = useResource(`${name} timeline`, (signal) =>
    answer(api.GET("/api/v1/incidents/{key}/timeline", { params: path, signal })),
  );
  const methods = useResource("methods", (signal) => answer(api.GET("/api/v1/methods", { signal })));
  const detail = found.data;
  const reload = () => {
    void found.reload();
    void log.reload();
    void lanes.reload();
  };
  useTitle(detail ? `${detail.incident.name} ${detail.incident.title}` : name);
  useLive((event) => event.incident === "" || event.incident === detail?.incident.id, reload);
  const desk = work(detail, found.show, reload);
  useKeys({
    u: () => go("/"),
    a: () => void desk.acknowledge(),
    r: () => void desk.resolve(),
  });
  if (!detail) {
    if (found.problem) return <Failed problem={found.problem} retry={reload} />;
    return <Loading what={name} lines={9} />;
  }
  return (
    <article class="incident">
      <IncidentHeader detail={detail} desk={desk} reload={reload} />
      {detail.merged_into && (
        <Banner title={`${name} was merged into ${detail.merged_into}.`}>
          This is the incident that answers for it now.
        </Banner>
      )}
      <RelatedIncidents related={detail.related} desk={desk} />
      <Conclusion detail={detail} reload={reload} />
      {detail.diagnosis && <NextSteps detail={detail} diagnosis={detail.diagnosis} />}
      <Steps detail={detail} reload={reload} />
      <Impact detail={detail} />
      <Behind detail={detail} items={lanes.data?.items ?? []} onSaid={reload} />
      <Tabs
        detail={detail}
        activity={log.data?.items ?? []}
        methods={methods.data?.items ?? []}
        reload={reload}
      />
    </article>
  );
}

/** What the answer rests on: the causes, what shares the time axis, the graph. */
function Behind(props: {
  detail: IncidentDetail;
  items: readonly Happening[];
  onSaid: () => void;
}) {
  const { detail, items } = props;
  const zoom = zoomRange();
  const finer = useFiner(detail, detail.diagnosis, zoom);
  const { diagnosis } = detail;
  if (!diagnosis) return <Timeline detail={detail} items={items} zoom={zoom} />;
  const shared = { detail, diagnosis, zoom, finer };
  return (
    <>
      <Overlay {...shared} />
      <Causes detail={detail} diagnosis={diagnosis} onSaid={props.onSaid} />
      <Opinions diagnosis={diagnosis} />
      {detail.groups && <ThreeGroups groups={detail.groups} />}
      <Timeline detail={detail} items={items} zoom={zoom} />
      <Spread detail={detail} diagnosis={diagnosis} />
      <Evidence {...shared} />
    </>
  );
}
