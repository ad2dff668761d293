// What the list is narrowed to; each choice is a link, so that it can be shared.
import { useEffect, useRef, useState } from "preact/hooks";
import { answer, api } from "../api/client";
import type { Count, Facets } from "../api/types";
import { useResource } from "../state/resource";
import { href, withQuery } from "../state/route";
import { number } from "../text/figures";
import { Menu } from "../ui/menu";
import { filtersOf, isFiltered, only, search, toggled, type Facet, type ListQuery } from "./query";

const PAUSE_MS = 250;

/** How many incidents each filter leaves; read again when `turn` changes. */
export function Filters({ wanted, turn }: { wanted: ListQuery; turn: number }) {
  const query = filtersOf(wanted);
  const counts = useResource(JSON.stringify([query, turn]), (signal) =>
    answer(api.GET("/api/v1/incidents/facets", { params: { query }, signal })),
  );
  const last = useRef<Facets | undefined>(undefined);
  if (counts.data) last.current = counts.data;
  const facets = last.current;
  return (
    <div class="filters">
      <nav class="tabs" aria-label="Status">
        <Tab value="" words="All" wanted={wanted} facets={facets} />
        <Tab value="open" words="Open" wanted={wanted} facets={facets} />
        <Tab value="resolved" words="Resolved" wanted={wanted} facets={facets} />
      </nav>
      <div class="row facets">
        <FacetMenu facet="severity" words="Severity" wanted={wanted} counts={facets?.severity} />
        <FacetMenu facet="service" words="Service" wanted={wanted} counts={facets?.service} />
        <FacetMenu facet="assignee" words="Assignee" wanted={wanted} counts={facets?.assignee} />
        <Seen wanted={wanted} />
        {isFiltered(wanted) && <a href={href("/")}>Clear</a>}
      </div>
      <Search wanted={wanted} />
    </div>
  );
}

function Search({ wanted }: { wanted: ListQuery }) {
  const [words, setWords] = useState(wanted.q);
  const timer = useRef(0);
  useEffect(() => setWords(wanted.q), [wanted.q]);
  const later = (text: string) => {
    setWords(text);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => search(text), PAUSE_MS);
  };
  return (
    <form
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        clearTimeout(timer.current);
        search(words);
      }}
    >
      <label for="search" class="hidden">
        Search
      </label>
      <input
        id="search"
        type="search"
        value={words}
        placeholder="Search: title, cause, service ( / )"
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => later(event.currentTarget.value)}
      />
    </form>
  );
}

function Tab(props: {
  value: "" | "open" | "resolved";
  words: string;
  wanted: ListQuery;
  facets: Facets | undefined;
}) {
  const { value, facets, wanted } = props;
  const chosen = value === "" ? wanted.status.length !== 1 : wanted.status.join() === value;
  const counts = facets?.status ?? [];
  const total = counts.reduce((sum, one) => sum + one.count, 0);
  const many = value === "" ? total : (counts.find((one) => one.value === value)?.count ?? 0);
  return (
    <a href={href(only("status", value))} aria-current={chosen ? "page" : undefined}>
      {props.words} {facets && <span class="count">{number(many)}</span>}
    </a>
  );
}

function FacetMenu(props: {
  facet: Facet;
  words: string;
  wanted: ListQuery;
  counts: readonly Count[] | undefined;
}) {
  const { facet, wanted } = props;
  const chosen: readonly string[] = wanted[facet];
  const all = withChosen(props.counts ?? [], chosen);
  const narrowed = chosen.map((one) => one || "nobody").join(", ");
  return (
    <Menu
      words={narrowed ? `${props.words}: ${narrowed}` : props.words}
      class={narrowed ? "chosen" : ""}
    >
      {all.length === 0 && <li class="quiet">none</li>}
      {all.map((one) => (
        <li key={one.value}>
          <a
            href={href(toggled(wanted, facet, one.value))}
            aria-current={chosen.includes(one.value) ? "true" : undefined}
          >
            <span aria-hidden="true">{chosen.includes(one.value) ? "☑" : "☐"}</span>{" "}
            <span class="name">{one.value || "nobody"}</span>{" "}
            <span class="quiet num">{one.count}</span>
          </a>
        </li>
      ))}
    </Menu>
  );
}

function withChosen(counts: readonly Count[], chosen: readonly string[]): readonly Count[] {
  const known = new Set(counts.map((one) => one.value));
  return [...chosen.filter((one) => !known.has(one)).map((value) => ({ value, count: 0 })), ...counts];
}

function Seen({ wanted }: { wanted: ListQuery }) {
  const next = wanted.seen === false ? "" : "false";
  return (
    <a
      class={wanted.seen === false ? "toggle chosen" : "toggle"}
      href={href(withQuery({ acknowledged: next, cursor: "" }))}
      aria-current={wanted.seen === false ? "true" : undefined}
    >
      Not acknowledged
    </a>
  );
}
