// The list of incidents: filters and page in the address, keys for everything.
import { useEffect, useRef, useState } from "preact/hooks";
import { answer, api } from "../api/client";
import type { Incident } from "../api/types";
import { useLive } from "../state/live";
import { useResource } from "../state/resource";
import { go, href, withQuery } from "../state/route";
import { count } from "../text/figures";
import { onControl, useKeys } from "../ui/keys";
import { Failed, Loading } from "../ui/states";
import { useTitle } from "../ui/title";
import { NoIncidents } from "./empty";
import { Filters } from "./filters";
import { isFiltered, listQuery, type ListQuery } from "./query";
import { Rows } from "./rows";
import { settle } from "./still";

const PAGE = 50;

export function IncidentList() {
  useTitle("Incidents");
  const wanted = listQuery();
  const key = JSON.stringify(wanted);
  const found = useResource(key, (signal) => fetchPage(wanted, signal));
  const list = useStill(key, found.data?.items);
  useLive((event) => event.kind !== "analysis", found.reload);
  const items = list.shown;

  return (
    <>
      <div class="page-head">
        <h1>Incidents</h1>
      </div>
      <Filters wanted={wanted} />
      <div class="notice-line" role="status">
        {list.fresh > 0 && (
          <button type="button" class="plain" onClick={list.take}>
            ↑ {count(list.fresh, "new incident")}, show
          </button>
        )}
      </div>
      {found.problem && !items && <Failed problem={found.problem} retry={found.reload} />}
      {!found.problem && !items && <Loading what="incidents" lines={8} />}
      {items && items.length === 0 && <NoIncidents filtered={isFiltered(wanted)} wanted={wanted} />}
      {items && items.length > 0 && <Table key={key} items={items} />}
      <Paging wanted={wanted} next={found.data?.next_cursor ?? null} />
    </>
  );
}

function fetchPage(wanted: ListQuery, signal: AbortSignal) {
  const query = {
    limit: PAGE,
    ...(wanted.status ? { status: [wanted.status] } : {}),
    ...(wanted.service ? { service: [wanted.service] } : {}),
    ...(wanted.cursor ? { cursor: wanted.cursor } : {}),
  };
  return answer(api.GET("/api/v1/incidents", { params: { query }, signal }));
}

/** The incidents as they stand on the screen; `take` shows what came since. */
function useStill(key: string, latest: readonly Incident[] | undefined) {
  const [shown, setShown] = useState<{ key: string; items: readonly Incident[] }>();
  useEffect(() => {
    if (latest) setShown((old) => (old?.key === key && old.items.length ? old : { key, items: latest }));
  }, [key, latest]);
  const items = shown?.key === key ? shown.items : undefined;
  if (!items || !latest) return { shown: items ?? latest, fresh: 0, take: () => undefined };
  const still = settle(items, latest);
  return { ...still, take: () => setShown({ key, items: latest }) };
}

function Table({ items }: { items: readonly Incident[] }) {
  const [at, setAt] = useState(-1);
  const links = useRef<(HTMLAnchorElement | null)[]>([]);
  const move = (by: number) => {
    const next = Math.min(items.length - 1, Math.max(0, at + by));
    setAt(next);
    links.current[next]?.focus();
  };
  useKeys({
    j: () => move(1),
    k: () => move(at < 0 ? 1 : -1),
    Enter: (event) => {
      const item = items[at];
      if (item && !onControl(event)) go(`/incidents/${item.name}`);
    },
    "/": (event) => {
      event.preventDefault();
      document.getElementById("search")?.focus();
    },
  });
  return <Rows items={items} at={at} links={links} onAt={setAt} />;
}

function Paging({ wanted, next }: { wanted: ListQuery; next: string | null }) {
  if (!wanted.cursor && !next) return null;
  return (
    <nav class="paging" aria-label="Pages">
      {wanted.cursor && <a href={href(withQuery({ cursor: "" }))}>« Newest</a>}
      {next && (
        <a rel="next" href={href(withQuery({ cursor: next }))}>
          Older incidents »
        </a>
      )}
    </nav>
  );
}
