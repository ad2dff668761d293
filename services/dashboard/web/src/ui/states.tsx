// What stands where there is nothing (yet) to show, and what can be done about it.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Problem } from "../api/client";
import { href } from "../state/route";

/** Grey lines in the shape of what is on its way. */
export function Loading({ what, lines = 4 }: { what: string; lines?: number }) {
  return (
    <div class="loading" role="status">
      <span class="hidden">Loading {what} …</span>
      {Array.from({ length: lines }, (_, k) => (
        <span key={k} class="bone" aria-hidden="true" />
      ))}
    </div>
  );
}

/** Why something could not be read, and a way on. */
export function Failed({ problem, retry }: { problem: Problem; retry?: () => void }) {
  const { title, detail, next } = told(problem);
  return (
    <section class="empty" role="alert">
      <h2>{title}</h2>
      {detail && <p>{detail}</p>}
      <p class="row">
        {problem.status === 401 && (
          <a class="button" href={signIn()}>
            Sign in
          </a>
        )}
        {retry && problem.status !== 404 && problem.status !== 401 && (
          <button type="button" onClick={retry}>
            Try again
          </button>
        )}
        {next}
      </p>
      <p class="quiet">
        {problem.status > 0 && `HTTP ${problem.status}, `}
        <code>{problem.code}</code>
      </p>
    </section>
  );
}

/** The address of the login page, which leads back here. */
export function signIn(): string {
  return href(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

function told(problem: Problem): { title: string; detail: string; next?: ComponentChildren } {
  const home = <a href={href("/")}>To the incidents</a>;
  if (problem.status === 401) return { title: "Please sign in", detail: problem.detail };
  if (problem.status === 403) {
    const detail = problem.detail || "Your role does not allow this. Ask an admin for it.";
    return { title: "No permission", detail, next: home };
  }
  if (problem.status === 0 && problem.code === "no_answer") {
    return { title: "The server does not answer", detail: problem.detail };
  }
  return { title: problem.title, detail: problem.detail, next: home };
}

export function Banner(props: {
  kind?: "info" | "warn" | "bad";
  title: string;
  children?: ComponentChildren;
}) {
  const kind = props.kind ?? "info";
  return (
    <div class={`banner ${kind}`} role={kind === "bad" ? "alert" : "status"}>
      <strong>{props.title}</strong> {props.children}
    </div>
  );
}

/** Text to be copied whole. */
export function Copyable({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <div class="copyable">
      <pre tabIndex={0} role="region" aria-label={label}>
        <code>{text}</code>
      </pre>
      {"clipboard" in navigator && (
        <button type="button" class="plain" onClick={() => void copy()}>
          {copied ? "Copied" : "Copy"}
        </button>
      )}
    </div>
  );
}

/** A table that may be wider than the page, and can be scrolled by keyboard. */
export function Scroll({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      {children}
    </div>
  );
}

/** The head of a table: one name a column, the last so many over numbers. */
export function Columns({ names, numbers = 0 }: { names: readonly string[]; numbers?: number }) {
  return (
    <thead>
      <tr>
        {names.map((name, k) => (
          <th key={name} scope="col" class={k >= names.length - numbers ? "num" : ""}>
            {name}
          </th>
        ))}
      </tr>
    </thead>
  );
}
