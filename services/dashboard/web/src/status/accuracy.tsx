// How often we were right, by what people said of causes.
import { answer, api } from "../api/client";
import { useResource } from "../state/resource";
import { count, number, share } from "../text/figures";
import { day } from "../text/times";
import { Scroll } from "../ui/states";

const DAYS = 90;

export function OwnAccuracy() {
  const found = useResource("accuracy", (signal) =>
    answer(api.GET("/api/v1/accuracy", { params: { query: { days: DAYS } }, signal })),
  );
  const told = found.data;
  if (!told) return null;
  return (
    <section aria-labelledby="h-accuracy">
      <h2 id="h-accuracy">How often we were right</h2>
      {told.incidents === 0 && told.rejected === 0 ? (
        <p class="quiet">
          Nobody has confirmed or rejected a cause in {DAYS} days. What is said on the page of an
          incident is counted here.
        </p>
      ) : (
        <>
          <dl class="facts big">
            <Fact name="First" value={told.ac_at_1} words="of confirmed causes" />
            <Fact name="Among the first three" value={told.ac_at_3} words="of confirmed causes" />
            <Fact name="Not named" value={told.abstained} words="of those incidents" />
            <div>
              <dt>Only rejected</dt>
              <dd>
                {number(told.rejected)} <small>{count(told.rejected, "incident")}</small>
              </dd>
            </div>
          </dl>
          <Weeks weeks={told.weeks} />
        </>
      )}
    </section>
  );
}

function Fact({ name, value, words }: { name: string; value: number | null; words: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value === null ? "–" : share(value)} <small>{words}</small>
      </dd>
    </div>
  );
}

interface Week {
  start_unix: number;
  incidents: number;
  ac_at_1: number | null;
  ac_at_3: number | null;
  rejected: number;
}

function Weeks({ weeks }: { weeks: readonly Week[] }) {
  return (
    <Scroll label="Week by week">
      <table>
        <caption class="quiet">Week by week, the last {DAYS} days</caption>
        <thead>
          <tr>
            <th scope="col">Week of</th>
            {["Confirmed", "First", "First three", "Only rejected"].map((name) => (
              <th key={name} scope="col" class="num">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeks.map((week) => (
            <tr key={week.start_unix}>
              <th scope="row">{day(week.start_unix)}</th>
              <td class="num">{week.incidents}</td>
              <td class="num">{week.ac_at_1 === null ? "–" : share(week.ac_at_1)}</td>
              <td class="num">{week.ac_at_3 === null ? "–" : share(week.ac_at_3)}</td>
              <td class="num">{week.rejected}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
