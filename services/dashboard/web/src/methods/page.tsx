// Every method: its question, where it comes from, what it assumes, and a form to run it.
import { answer, api } from "../api/client";
import type { Method } from "../api/types";
import { useResource } from "../state/resource";
import { go, href, query, setQuery } from "../state/route";
import { count } from "../text/figures";
import { say } from "../ui/announce";
import { Failed, Loading } from "../ui/states";
import { useTitle } from "../ui/title";
import { COSTS, MethodForm } from "./form";

export function Methods({ chosen }: { chosen: string }) {
  useTitle("Methods");
  const found = useResource("methods", (signal) => answer(api.GET("/api/v1/methods", { signal })));
  const words = query.value.get("q") ?? "";
  const all = found.data?.items;
  const shown = all?.filter((method) => matches(method, words)) ?? [];
  return (
    <>
      <div class="page-head">
        <h1>Methods</h1>
        <form role="search" onSubmit={(event) => event.preventDefault()}>
          <label for="search">Search</label>
          <input
            id="search"
            type="search"
            value={words}
            onInput={(event) => setQuery({ q: event.currentTarget.value })}
          />
        </form>
      </div>
      <p class="lead">
        Every method around an incident: what it asks, where it comes from, what it assumes.
      </p>
      {found.problem && !all && <Failed problem={found.problem} retry={found.reload} />}
      {!found.problem && !all && <Loading what="methods" lines={8} />}
      {all && all.length === 0 && <NoMethods />}
      {all && all.length > 0 && (
        <p class="quiet" role="status">
          {count(shown.length, "method")}
        </p>
      )}
      {families(shown).map(([family, methods]) => (
        <section key={family} aria-labelledby={`family-${family}`}>
          <h2 id={`family-${family}`}>{family}</h2>
          <ul class="plain-list methods">
            {methods.map((method) => (
              <MethodEntry key={method.name} method={method} open={method.name === chosen} />
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

function NoMethods() {
  return (
    <section class="empty">
      <h2>No methods yet</h2>
      <p>A worker tells what it can run when it starts; none has started yet.</p>
      <p>
        <a href={href("/status")}>See the status</a>
      </p>
    </section>
  );
}

function matches(method: Method, words: string): boolean {
  const text = `${method.name} ${method.question} ${method.summary} ${method.paper}`.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function families(methods: readonly Method[]): [string, Method[]][] {
  const found = new Map<string, Method[]>();
  for (const method of methods) {
    found.set(method.family, [...(found.get(method.family) ?? []), method]);
  }
  return [...found].sort(([a], [b]) => a.localeCompare(b));
}

function MethodEntry({ method, open }: { method: Method; open: boolean }) {
  return (
    <li id={`method-${method.name}`}>
      <details open={open}>
        <summary>
          <span class="question">{method.question}</span> <code>{method.name}</code>
          {method.default && <span class="chip">runs on every incident</span>}
          {!method.available && <span class="chip">cannot run here</span>}
        </summary>
        <About method={method} />
        {method.available ? (
          <MethodForm
            method={method}
            onStarted={(incident) => {
              say(`${method.name} runs on ${incident}.`);
              go(`/incidents/${encodeURIComponent(incident)}?tab=methods`);
            }}
          />
        ) : (
          <p class="quiet">Cannot run here: {method.unavailable}</p>
        )}
      </details>
    </li>
  );
}

/** What a method says about itself. */
export function About({ method }: { method: Method }) {
  return (
    <>
      <p>{method.summary}</p>
      <dl class="facts">
        {method.paper && <Fact name="From" text={method.paper} />}
        {method.provenance !== "paper" && (
          <Fact name={method.provenance} text={method.provenance_note} />
        )}
        <Fact name="Takes" text={COSTS[method.cost] ?? method.cost} />
        {method.needs.length > 0 && <Fact name="Needs" text={method.needs.join(", ")} />}
        {method.level !== null && (
          <Fact name="False claims" text={`at most ${100 * method.level} %`} />
        )}
      </dl>
      {method.assumptions.length > 0 && (
        <>
          <h3>Assumes</h3>
          <Lines lines={method.assumptions} />
        </>
      )}
      {method.limits.length > 0 && (
        <>
          <h3>Does not say</h3>
          <Lines lines={method.limits} />
        </>
      )}
    </>
  );
}

function Fact({ name, text }: { name: string; text: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{text}</dd>
    </div>
  );
}

function Lines({ lines }: { lines: readonly string[] }) {
  return (
    <ul>
      {lines.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}
