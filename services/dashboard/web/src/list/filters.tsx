// What the list is narrowed to; each choice is a link, so that it can be shared.
import { useState } from "preact/hooks";
import { href, setQuery, withQuery } from "../state/route";
import type { ListQuery } from "./query";

export function Filters({ wanted }: { wanted: ListQuery }) {
  const [service, setService] = useState(wanted.service);
  return (
    <div class="filters">
      <nav class="tabs" aria-label="Status">
        <Tab value="" words="All" wanted={wanted} />
        <Tab value="open" words="Open" wanted={wanted} />
        <Tab value="resolved" words="Resolved" wanted={wanted} />
      </nav>
      <form
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          setQuery({ service: service.trim(), cursor: "" }, { replace: false });
        }}
      >
        <label for="search">Service</label>
        <input
          id="search"
          value={service}
          placeholder="all services"
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => setService(event.currentTarget.value)}
        />
        <button type="submit">Filter</button>
      </form>
    </div>
  );
}

function Tab({ value, words, wanted }: { value: string; words: string; wanted: ListQuery }) {
  return (
    <a
      href={href(withQuery({ status: value, cursor: "" }))}
      aria-current={(wanted.status ?? "") === value ? "page" : undefined}
    >
      {words}
    </a>
  );
}
