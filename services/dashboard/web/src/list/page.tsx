// The list of incidents: filters and page in the address, keys for everything.
import { useEffect, useState } from "preact/hooks";
import { answer, api } from "../api/client";
import type { Incident } from "../api/types";
import { useLive } from "../state/live";
import { useResource } from "../state/resource";
import { href, withQuery } from "../state/route";
import { count } from "../text/figures";
import { Failed, Loading } from "../ui/states";
import { useTitle } from "../ui/title";
import { Drift } from "./drift";
import { NoIncidents } from "./empty";
import { Filters } from "./filters";
import { filtersOf, isFiltered, listQuery, type ListQuery } from "./query";
import { settle } from "./still";
import { Table } from "./table";

const PAGE = 50;

export function IncidentList() {
  useTitle("Incidents");
  const [turn, setTurn] = useState(0);
  const wanted = listQuery();
  const key = JSON.stringify(wanted);
  const found = useResource(key, (signal) => fetchPage(wanted, signal));
  const list = useStill(key, found.data?.items);
  const look = () => {
    setTurn((n) => n + 1);
    void found.reload();
  };
  useLive((event) => event.kind !== "analysis", look);
  const items = list.shown;

  return (
    <>
      <h1 class="hidden">Incidents</h1>
      <Filters wanted={wanted} turn={turn} />
      {found.problem && !items && <Failed problem={found.problem} retry={look} />}
      {!found.problem && !items && <Loading what="incidents" lines={8} />}
      {items && items.length === 0 && <NoIncidents filtered={isFiltered(wanted)} wanted={wanted} />}
      {items && items.length > 0 && (
        <Table
          key={key}
          items={items}
          changed={list.change}
          reload={look}
          notice={list.fresh > 0 && <Fresh many={list.fresh} take={list.take} />}
        />
      )}
      <Paging wanted={wanted} next={found.data?.next_cursor ?? null} />
      {!wanted.cursor && !isFiltered(wanted) && <Drift />}
    </>
  );
}

function Fresh({ many, take }: { many: number; take: () => void }) {
  return (
    <button type="button" class="plain" onClick={take}>
      ↑ {count(many, "new incident")}, show
    </button>
  );
}

function fetchPage(wanted: ListQuery, signal: AbortSignal) {
  const query = {
    limit: PAGE,
    ...filtersOf(wanted),
    ...(wanted.cursor ? { cursor: wanted.cursor } : {}),
  };
  return answer(api.GET("/api/v1/incidents", { params: { query }, signal }));
}

/** The incidents as they stand on the screen; `take` shows what came since. */
function useStill(key: string, latest: readonly Incident[] | undefined) {
  const [shown, setShown] = useState<{ key: string; items: readonly Incident[] }>();
  useEffect(() => {
    if (!latest) return;
    setShown((old) =>
      old?.key === key && old.items.length
        ? { key, items: settle(old.items, latest).shown }
        : { key, items: latest },
    );
  }, [key, latest]);
  const items = shown?.key === key ? shown.items : latest;
  const still = items && latest ? settle(items, latest) : { shown: items, fresh: 0 };
  const change = (changed: readonly Incident[]) => {
    const byId = new Map(changed.map((one) => [one.id, one]));
    if (items) setShown({ key, items: items.map((one) => byId.get(one.id) ?? one) });
  };
  const take = () => latest && setShown({ key, items: latest });
  return { shown: items, fresh: still.fresh, take, change };
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
