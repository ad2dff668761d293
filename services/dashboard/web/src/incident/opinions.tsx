// What other methods put first, and where they differ from the diagnosis.
import type { Diagnosis, Opinion } from "../api/types";
import { Scroll } from "../ui/states";

export function Opinions({ diagnosis }: { diagnosis: Diagnosis }) {
  const { opinions } = diagnosis;
  if (opinions.length === 0) return null;
  const first = diagnosis.candidates[0]?.service;
  const agreeing = opinions.filter((one) => one.services[0] === first).length;
  return (
    <section aria-labelledby="h-opinions">
      <h2 id="h-opinions">
        {agreeing === opinions.length
          ? "All other methods agree"
          : `${agreeing} of ${opinions.length} other methods put ${first ?? "the same"} first`}
      </h2>
      <Scroll label="What other methods say">
        <table>
          <thead>
            <tr>
              <th scope="col">Method</th>
              <th scope="col">1st</th>
              <th scope="col">2nd</th>
              <th scope="col">3rd</th>
              <th scope="col">Against the diagnosis</th>
            </tr>
          </thead>
          <tbody>
            {opinions.map((one) => {
              const agrees = one.services[0] === first;
              return (
                <tr key={one.method}>
                  <th scope="row">
                    <code>{one.method}</code>
                  </th>
                  {[0, 1, 2].map((k) => (
                    <td key={k}>{one.services[k] ?? "–"}</td>
                  ))}
                  <td class={agrees ? "good" : ""}>
                    <span aria-hidden="true">{agrees ? "✓" : "≠"}</span> {remark(one, diagnosis)}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

/** Where a method differs from the diagnosis, in words. */
export function remark(opinion: Opinion, diagnosis: Diagnosis): string {
  const first = diagnosis.candidates[0]?.service;
  const choice = opinion.services[0];
  if (choice === undefined) return "names nobody";
  if (choice === first) return "same first service";
  const place = first === undefined ? -1 : opinion.services.indexOf(first);
  const there = place < 0 ? `does not list ${first}` : `puts ${first} at ${place + 1}`;
  const rank = diagnosis.candidates.find((one) => one.service === choice)?.rank;
  const back = rank === undefined ? "" : `; the diagnosis ranks ${choice} at ${rank}`;
  return `puts ${choice} first and ${there}${back}`;
}
