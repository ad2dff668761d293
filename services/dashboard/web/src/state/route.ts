// Where we are: everything that a page shows can be said in its address.
import { computed, signal } from "@preact/signals";
import { root } from "../api/client";

const here = signal(read());

/** The path below the app's root, `/incidents/INC-7`. */
export const path = computed(() => here.value.path);
/** The query of the address. */
export const query = computed(() => here.value.query);
/** The part of the page that the address names. */
export const fragment = computed(() => here.value.fragment);

interface Place {
  path: string;
  query: URLSearchParams;
  fragment: string;
}

function read(): Place {
  const inside = location.pathname.startsWith(root) ? location.pathname.slice(root.length) : "/";
  return {
    path: inside || "/",
    query: new URLSearchParams(location.search),
    fragment: location.hash.slice(1),
  };
}

/** Go to a path below the root; `replace` leaves no step in the history. */
export function go(to: string, options: { replace?: boolean; stay?: boolean } = {}): void {
  const move = options.replace ? history.replaceState : history.pushState;
  move.call(history, null, "", root + to);
  const before = here.value.path;
  here.value = read();
  if (!options.stay && before !== here.value.path) {
    scrollTo(0, 0);
    document.getElementById("main")?.focus();
  }
}

/** The address of this page with some of its parameters changed; an empty value takes one out. */
export function withQuery(changes: Readonly<Record<string, string | readonly string[]>>): string {
  const next = new URLSearchParams(here.value.query);
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name);
    const values = typeof value === "string" ? [value] : value;
    for (const one of values) if (one !== "") next.append(name, one);
  }
  const text = next.toString();
  return here.value.path + (text ? `?${text}` : "");
}

/** Change parameters of the address, the page stays where it is. */
export function setQuery(
  changes: Readonly<Record<string, string | readonly string[]>>,
  options: { replace?: boolean } = { replace: true },
): void {
  go(withQuery(changes), { ...options, stay: true });
}

/** The address of a path for a link. */
export function href(to: string): string {
  return root + to;
}

/** Links into the app change the page without loading it; others stay links. */
export function followLinks(): void {
  addEventListener("popstate", () => (here.value = read()));
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || event.defaultPrevented || event.button !== 0 || modified(event)) return;
    if (link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    const to = link.pathname.slice(root.length);
    if (!link.pathname.startsWith(root) || !ours(to)) return;
    event.preventDefault();
    if (link.hash && link.pathname === location.pathname && link.search === location.search) {
      jump(link.hash.slice(1));
      return;
    }
    const before = here.value.path;
    go(to + link.search + link.hash);
    if (link.hash && before === here.value.path) {
      requestAnimationFrame(() => jump(link.hash.slice(1))); // it is there once the page is drawn
    }
  });
}

function jump(id: string): void {
  history.replaceState(null, "", `#${id}`);
  here.value = read();
  const target = document.getElementById(id);
  target?.scrollIntoView();
  target?.focus({ preventScroll: true });
}

function modified(event: MouseEvent): boolean {
  return event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
}

/** Whether the app shows a path; reports, the API and files are the server's. */
export function ours(to: string): boolean {
  return /^\/($|(methods|status)(\/|$)|(incidents|explain)\/[^/]+$)/.test(to);
}
