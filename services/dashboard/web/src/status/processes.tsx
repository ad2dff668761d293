// The processes that Rootward runs as, what each counted, and which one fell silent.
import type { Process, Status } from "../api/types";
import { now } from "../state/clock";
import { number, span } from "../text/figures";
import { When } from "../ui/marks";
import { Columns, Scroll } from "../ui/states";

const COLUMNS = ["Process", "Since", "State", "Taken in", "A second", "Refused", "Late", "Given up on"];
const ORDER = { silent: 0, here: 1, replaced: 2, ended: 3 } as const;

export function Processes({ status }: { status: Status }) {
  const ordered = [...status.processes].sort((a, b) => ORDER[a.state] - ORDER[b.state]);
  return (
    <section aria-labelledby="h-processes">
      <h2 id="h-processes">Processes</h2>
      <p class="quiet">
        {!status.takes_in && "No process that takes samples in has told of itself. "}
        Each counts since it began and tells it every 10 seconds; one that is gone counts for a day.
      </p>
      {ordered.length > 0 && (
        <Scroll label="Processes and what each counted">
          <table>
            <Columns names={COLUMNS} numbers={5} />
            <tbody>
              {ordered.map((one) => (
                <tr key={one.name}>
                  <th scope="row">
                    {one.name} {one.version !== status.version && <small class="bad">! {one.version}</small>}
                  </th>
                  <td>
                    <When unix={one.began_unix} />
                  </td>
                  <td class="state">
                    <State process={one} />
                  </td>
                  <td class="num">{number(one.received)}</td>
                  <td class="num">{number(one.received_per_second)}</td>
                  <td class="num">{number(one.rejected)}</td>
                  <td class="num">{number(one.late_samples)}</td>
                  <td class="num">{number(one.dead_letters)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  );
}

function State({ process }: { process: Process }) {
  if (process.state === "here") return <span>✓ here</span>;
  if (process.state !== "silent") return <span class="quiet">{process.state}</span>;
  return <span class="bad">! silent for {span(Math.round(now.value - process.told_unix))}</span>;
}
