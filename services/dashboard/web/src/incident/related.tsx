// Incidents that belong to this one: merged into it, or linked.
import { mayRespond } from "../api/session";
import type { Related } from "../api/types";
import { href } from "../state/route";
import type { IncidentDesk } from "./work";

export function RelatedIncidents({ related, desk }: { related: readonly Related[]; desk: IncidentDesk }) {
  if (related.length === 0) return null;
  return (
    <section class="related" aria-label="Related incidents">
      <ul class="plain-list">
        {related.map((one) => (
          <li key={one.id}>
            <span class="chip">{one.how === "merged" ? "merged into it" : "linked"}</span>{" "}
            <a href={href(`/incidents/${encodeURIComponent(one.name)}`)}>{one.name}</a> {one.title}{" "}
            {mayRespond() && (
              <button
                type="button"
                class="link"
                onClick={() => void (one.how === "merged" ? desk.separate(one.name) : desk.unlink(one.name))}
              >
                {one.how === "merged" ? "Take the merge back" : "Unlink"}
                <span class="hidden"> {one.name}</span>
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
