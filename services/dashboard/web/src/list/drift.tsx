// What changed after something was done, though no incident opened: the newest notices of a week.
import { answer, api } from "../api/client";
import { now } from "../state/clock";
import { useResource } from "../state/resource";
import { When } from "../ui/marks";

const MOST = 5;
const WEEK = 7 * 86_400;

export function Drift() {
  const found = useResource("drift", (signal) =>
    answer(api.GET("/api/v1/drift", { params: { query: { limit: MOST } }, signal })),
  );
  const notices = (found.data?.items ?? []).filter((one) => now.value - one.at_unix <= WEEK);
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
