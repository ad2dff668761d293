import { clock } from "../text/times";
import { webAddress } from "../text/names";
import { Scroll } from "../ui/states";
import type { TabProps } from "./tabs";

export function AlertsTab({ detail }: TabProps) {
  if (detail.alerts.length === 0) {
    return <p class="quiet">No alert opened or joined this incident; the detector found it by itself.</p>;
  }
  return (
    <Scroll label="Alerts of this incident">
      <table>
        <thead>
          <tr>
            <th scope="col">Alert</th>
            <th scope="col">Service</th>
            <th scope="col">State</th>
            <th scope="col" class="num">
              Since
            </th>
            <th scope="col">What it says</th>
          </tr>
        </thead>
        <tbody>
          {detail.alerts.map((alert) => {
            const url = webAddress(alert.url);
            const name = alert.name || alert.key;
            return (
              <tr key={alert.key}>
                <th scope="row">
                  {url ? (
                    <a href={url} rel="noreferrer">
                      {name}
                    </a>
                  ) : (
                    name
                  )}
                </th>
                <td>{alert.service || "–"}</td>
                <td>
                  <span aria-hidden="true">{alert.status === "firing" ? "●" : "✓"}</span> {alert.status}
                  {alert.ends_unix !== null && ` ${clock(alert.ends_unix)}`}
                </td>
                <td class="num">{clock(alert.starts_unix)}</td>
                <td>{alert.summary}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}
