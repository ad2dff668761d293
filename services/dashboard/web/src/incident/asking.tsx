// What methods said of the incident, and what else can be asked.
import { useState } from "preact/hooks";
import { answer, api } from "../api/client";
import { AnalysisView } from "../blocks/analysis";
import type { Analysis, Method } from "../api/types";
import { useResource } from "../state/resource";
import { count, share } from "../text/figures";
import { href } from "../state/route";
import { MethodForm } from "../methods/form";
import { say } from "../ui/announce";
import { When } from "../ui/marks";
import { Loading, Scroll } from "../ui/states";
import type { TabProps } from "./tabs";

const SIMILAR = "similar";

/** The answers of methods that look for similar incidents. */
export function similarOf({ detail, methods }: TabProps): readonly Analysis[] {
  const looking = new Set(methods.filter(isSimilar).map((method) => method.name));
  return detail.analyses.filter((one) => looking.has(one.method) && one.status !== "not_applicable");
}

const isSimilar = (method: Method): boolean => method.anchors.includes(SIMILAR);

export function SimilarTab(props: TabProps) {
  const found = similarOf(props);
  const offers = props.methods.filter(isSimilar);
  return (
    <>
      <Alike name={props.detail.incident.name} />
      {found.map((one) => (
        <AnalysisView key={one.method + one.seed} analysis={one} method={named(props.methods, one)} />
      ))}
      <Offers {...props} offers={offers} />
    </>
  );
}

/** Earlier incidents with the same services or symptom, and how they were resolved. */
function Alike({ name }: { name: string }) {
  const found = useResource(`${name} similar`, (signal) =>
    answer(api.GET("/api/v1/incidents/{key}/similar", { params: { path: { key: name } }, signal })),
  );
  const items = found.data?.items;
  if (found.problem && !items) return <p class="bad">{found.problem.message}</p>;
  if (!items) return <Loading what="similar incidents" lines={3} />;
  if (items.length === 0) return <p class="quiet">No earlier incident looks alike.</p>;
  return (
    <Scroll label="Similar incidents">
      <table>
        <thead>
          <tr>
            <th scope="col">Incident</th>
            <th scope="col" class="num">
              Alike
            </th>
            <th scope="col">In common</th>
            <th scope="col">Its first cause</th>
            <th scope="col">How it was resolved</th>
            <th scope="col">When</th>
          </tr>
        </thead>
        <tbody>
          {items.map((one) => (
            <tr key={one.id}>
              <th scope="row">
                <a href={href(`/incidents/${encodeURIComponent(one.name)}`)}>{one.name}</a> {one.title}
              </th>
              <td class="num">{share(one.score)}</td>
              <td>
                {[one.same_symptom && "symptom", ...one.shared_services].filter(Boolean).join(", ")}
              </td>
              <td>{one.first_cause ?? "–"}</td>
              <td>{one.resolution || "–"}</td>
              <td>
                <When unix={one.opened_unix} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

export function MethodsTab(props: TabProps) {
  const { detail, methods } = props;
  const found = detail.analyses.filter((one) => one.status !== "not_applicable");
  const refused = detail.analyses.filter((one) => one.status === "not_applicable");
  const running = new Set(detail.analyses.filter((one) => one.status === "running").map((one) => one.method));
  const offers = methods.filter((method) => !running.has(method.name));
  return (
    <>
      {found.map((one) => (
        <AnalysisView key={one.method + JSON.stringify(one.parameters)} analysis={one} method={named(methods, one)} />
      ))}
      {refused.length > 0 && (
        <details class="more">
          <summary>{count(refused.length, "method")} not applicable here</summary>
          <ul>
            {refused.map((one) => (
              <li key={one.method}>
                {one.question || one.method} <span class="quiet">{one.reason}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
      <Offers {...props} offers={offers} />
    </>
  );
}

function named(methods: readonly Method[], analysis: Analysis): Method | undefined {
  return methods.find((method) => method.name === analysis.method);
}

function Offers(props: TabProps & { offers: readonly Method[] }) {
  const { offers, detail, reload } = props;
  if (offers.length === 0) return null;
  return (
    <section aria-labelledby="h-offers">
      <h3 id="h-offers">Ask more, or again with other parameters</h3>
      <ul class="plain-list offers">
        {offers.map((method) => (
          <Offer key={method.name} method={method} incident={detail.incident.name} reload={reload} />
        ))}
      </ul>
    </section>
  );
}

function Offer(props: { method: Method; incident: string; reload: () => void }) {
  const { method } = props;
  const [open, setOpen] = useState(false);
  return (
    <li>
      <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          {method.question} <code class="quiet">{method.name}</code>
        </summary>
        {open &&
          (method.available ? (
            <>
              <p>{method.summary}</p>
              <MethodForm
                method={method}
                incident={props.incident}
                onStarted={() => {
                  say(`${method.name} is running; its answer appears here.`);
                  setOpen(false);
                  props.reload();
                }}
              />
            </>
          ) : (
            <p class="quiet">Cannot run here: {method.unavailable}</p>
          ))}
      </details>
    </li>
  );
}
