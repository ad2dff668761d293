// A form made from a method's parameters, to run it on an incident.
import { useState } from "preact/hooks";
import { answer, api, once, type Problem } from "../api/client";
import { mayRespond } from "../api/session";
import type { JsonValue, Method } from "../api/types";
import { asProblem } from "../state/resource";
import { parametersOf, readField, written, type Parameter } from "./schema";

type Typed = Readonly<Record<string, string>>;

export function MethodForm(props: {
  method: Method;
  /** The incident it runs on; where it is not known, the form asks for it. */
  incident?: string;
  onStarted: (incident: string) => void;
}) {
  const { method } = props;
  const parameters = parametersOf(method);
  const [typed, setTyped] = useState<Typed>(() =>
    Object.fromEntries(parameters.map((p) => [p.name, written(p.initial)])),
  );
  const [incident, setIncident] = useState(props.incident ?? "");
  const [wrong, setWrong] = useState<Typed>({});
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);

  const submit = async () => {
    const { params, faults } = readAll(parameters, typed);
    setWrong(faults);
    if (Object.keys(faults).length > 0 || busy) return;
    setBusy(true);
    try {
      await startMethod(incident.trim(), method.name, params);
      setProblem(undefined);
      props.onStarted(incident.trim());
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      class="method-form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {props.incident === undefined && (
        <div class="field">
          <label for={`${method.name}-incident`}>Incident</label>
          <input
            id={`${method.name}-incident`}
            value={incident}
            placeholder="INC-7"
            required
            autocomplete="off"
            onInput={(event) => setIncident(event.currentTarget.value)}
          />
        </div>
      )}
      {parameters.map((parameter) => (
        <Field
          key={parameter.name}
          id={`${method.name}-${parameter.name}`}
          parameter={parameter}
          value={typed[parameter.name] ?? ""}
          wrong={wrong[parameter.name]}
          onInput={(value) => setTyped({ ...typed, [parameter.name]: value })}
        />
      ))}
      {problem && (
        <p class="bad" role="alert">
          {problem.detail || problem.title}
        </p>
      )}
      <p class="row">
        <button type="submit" disabled={busy || !mayRespond()}>
          {busy ? "Starting …" : "Run"}
        </button>
        <span class="quiet">takes {COSTS[method.cost] ?? method.cost}</span>
      </p>
    </form>
  );
}

export const COSTS: Readonly<Record<string, string>> = {
  instant: "under 2 s",
  seconds: "under 10 s",
  minutes: "up to 2 min",
};

/** Run a method on an incident. */
export async function startMethod(
  key: string,
  method: string,
  params: Record<string, JsonValue>,
): Promise<void> {
  await answer(
    api.POST("/api/v1/incidents/{key}/analyses", {
      params: { path: { key } },
      body: { method, params },
      headers: once(),
    }),
  );
}

function readAll(parameters: readonly Parameter[], typed: Typed) {
  const params: Record<string, JsonValue> = {};
  const faults: Record<string, string> = {};
  for (const parameter of parameters) {
    const read = readField(parameter, typed[parameter.name] ?? "");
    if ("wrong" in read) faults[parameter.name] = read.wrong;
    else if (read.value !== undefined) params[parameter.name] = read.value;
  }
  return { params, faults };
}

function Field(props: {
  id: string;
  parameter: Parameter;
  value: string;
  wrong: string | undefined;
  onInput: (value: string) => void;
}) {
  const { id, parameter, wrong } = props;
  const shared = {
    id,
    value: props.value,
    "aria-invalid": wrong !== undefined,
    "aria-describedby": `${id}-about`,
  };
  const choices =
    parameter.kind === "boolean" ? ["true", "false"] : parameter.choices.map((one) => written(one));
  return (
    <div class="field">
      <label for={id}>
        <code>{parameter.name}</code>
      </label>
      {choices.length > 0 ? (
        <select {...shared} onInput={(event) => props.onInput(event.currentTarget.value)}>
          {choices.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      ) : (
        <input
          {...shared}
          inputMode={parameter.kind === "integer" ? "numeric" : undefined}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => props.onInput(event.currentTarget.value)}
        />
      )}
      <p id={`${id}-about`} class="quiet">
        {wrong !== undefined && (
          <strong class="bad">
            {parameter.name} {wrong}.{" "}
          </strong>
        )}
        {parameter.description}
      </p>
    </div>
  );
}
