// Who did what, the newest first, page by page.
import { useState } from "preact/hooks";
import { answer, api } from "../api/client";
import { useResource } from "../state/resource";
import { When } from "../ui/marks";
import { Columns, Failed, Loading, Scroll } from "../ui/states";

const PAGE = 50;

export function AuditLog() {
  const [cursor, setCursor] = useState("");
  const found = useResource(`audit ${cursor}`, (signal) =>
    answer(
      api.GET("/api/v1/audit", {
        params: { query: { limit: PAGE, ...(cursor ? { cursor } : {}) } },
        signal,
      }),
    ),
  );
  const page = found.data;
  return (
    <section aria-labelledby="h-audit">
      <h2 id="h-audit">Audit log</h2>
      {found.problem && <Failed problem={found.problem} retry={found.reload} />}
      {!page && !found.problem && <Loading what="the audit log" />}
      {page?.items.length === 0 && <p class="quiet">Nobody has changed anything yet.</p>}
      {page && page.items.length > 0 && (
        <Scroll label="Who did what">
          <table>
            <Columns names={["When", "Who", "What", "Of", "From", "Outcome"]} />
            <tbody>
              {page.items.map((one, k) => (
                <tr key={`${one.at_unix} ${k}`}>
                  <td>
                    <When unix={one.at_unix} />
                  </td>
                  <th scope="row">{one.who}</th>
                  <td>{one.action.replaceAll("_", " ")}</td>
                  <td class="target">{one.target}</td>
                  <td>{one.address}</td>
                  <td class={one.outcome === "done" ? "" : "bad"}>{one.outcome}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      <p class="row">
        {cursor && (
          <button type="button" class="link" onClick={() => setCursor("")}>
            Newest
          </button>
        )}
        {page?.next_cursor && (
          <button type="button" class="link" onClick={() => setCursor(page.next_cursor ?? "")}>
            Older
          </button>
        )}
      </p>
    </section>
  );
}
