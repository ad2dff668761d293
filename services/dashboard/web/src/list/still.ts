// A list that keeps still: what is shown is brought up to date in its place, what is new waits.
export interface Item {
  id: string;
}

export interface Still<T> {
  shown: readonly T[];
  /** The newest page, where it differs from what is shown by more than the rows' contents. */
  waiting: readonly T[] | undefined;
  /** How many of it are not shown. */
  fresh: number;
}

/** What to show once `latest` came, with `before` on the screen. */
export function settle<T extends Item>(before: readonly T[], latest: readonly T[]): Still<T> {
  const byId = new Map(latest.map((item) => [item.id, item]));
  const shown = before.map((item) => byId.get(item.id) ?? item);
  const known = new Set(before.map((item) => item.id));
  const fresh = latest.filter((item) => !known.has(item.id)).length;
  const same = before.length === latest.length && before.every((b, k) => b.id === latest[k]?.id);
  return { shown, waiting: same ? undefined : latest, fresh };
}
