// What changed after something was done, though no incident opened: the notices that are recent.
import { answer, api } from "../api/client";
import { useResource } from "../state/resource";
import { When } from "../ui/marks";

export function Drift() {
  const found = useResource("drift", (signal) =>
    answer(api.GET("/api/v1/drift", { params: { query: { recent: true } }, signal })),
  );
  const notices = found.data?.items ?? [];
  if (notices.length === 0) return null;
  return (
    <section aria-labelledby="h-drift">
      <h2 id="h-drift">Changed without an incident</h2>
      <ul class="plain-list">
        {notices.map((one) => (
          <li key={`${one.service} ${one.version} ${one.event_id}`}>
            <When unix={one.at_unix} />: {one.text}
          </li>
        ))}
      </ul>
    </section>
  );
}
