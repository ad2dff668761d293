// A method's parameters, as its JSON schema has them, and what a form makes of them.
import { isRecord } from "../api/client";
import type { JsonValue, Method } from "../api/types";

export interface Parameter {
  name: string;
  kind: "integer" | "number" | "boolean" | "choice" | "text" | "json";
  description: string;
  initial: JsonValue | undefined;
  choices: readonly JsonValue[];
  least: number | undefined;
  most: number | undefined;
}

/** The parameters of a method, in the order of its schema. */
export function parametersOf(method: Method): readonly Parameter[] {
  const properties = method.parameters_schema["properties"];
  if (!isRecord(properties)) return [];
  return Object.entries(properties).map(([name, told]) => parameter(name, told));
}

function parameter(name: string, told: unknown): Parameter {
  const schema = isRecord(told) ? told : {};
  const choices = Array.isArray(schema["enum"]) ? (schema["enum"] as JsonValue[]) : [];
  const type = schema["type"];
  const kind =
    choices.length > 0
      ? "choice"
      : type === "integer" || type === "number" || type === "boolean"
        ? type
        : type === "string"
          ? "text"
          : "json";
  return {
    name,
    kind,
    description: typeof schema["description"] === "string" ? schema["description"] : "",
    initial: schema["default"] as JsonValue | undefined,
    choices,
    least: limit(schema["minimum"]),
    most: limit(schema["maximum"]),
  };
}

function limit(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** What the form field of a parameter first holds. */
export function written(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

export type Read = { value: JsonValue | undefined } | { wrong: string };

/** What was typed as a value; undefined where it is the default. */
export function readField(parameter: Parameter, typed: string): Read {
  if (typed === written(parameter.initial)) return { value: undefined };
  switch (parameter.kind) {
    case "boolean":
      return { value: typed === "true" };
    case "choice":
      return { value: parameter.choices.find((one) => written(one) === typed) };
    case "text":
      return { value: typed };
    case "json":
      return readJson(typed);
    default:
      return readNumber(parameter, typed);
  }
}

function readNumber(parameter: Parameter, typed: string): Read {
  const value = typed.trim() === "" ? Number.NaN : Number(typed);
  if (!Number.isFinite(value)) return { wrong: "is not a number" };
  if (parameter.kind === "integer" && !Number.isInteger(value)) {
    return { wrong: "must be a whole number" };
  }
  if (parameter.least !== undefined && value < parameter.least) {
    return { wrong: `must be at least ${parameter.least}` };
  }
  if (parameter.most !== undefined && value > parameter.most) {
    return { wrong: `must be at most ${parameter.most}` };
  }
  return { value };
}

function readJson(typed: string): Read {
  try {
    return { value: JSON.parse(typed) as JsonValue };
  } catch {
    return { wrong: "is not JSON" };
  }
}
