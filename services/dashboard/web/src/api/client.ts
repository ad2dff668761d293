// The API as the OpenAPI document describes it: typed calls, problems as errors.
import createClient from "openapi-fetch";
import type { paths } from "./schema.gen";
import { csrfToken } from "./session";

/** The path that the app is mounted at, without a slash at its end. */
export const root = document.documentElement.dataset["root"] ?? "";

export const api = createClient<paths>({ baseUrl: location.origin + root });

/** An answer that is no success, as RFC 9457 has it. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    readonly fields: readonly FieldProblem[] = [],
  ) {
    super(detail || title);
  }
}

export interface FieldProblem {
  detail: string;
  parameter?: string | null;
  pointer?: string | null;
}

interface Answered<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** What a call answered; throws a Problem where it was refused or nothing answered. */
export async function answer<T>(call: Promise<Answered<T>>): Promise<T> {
  return (await whole(call)).data;
}

/** The same with the response beside it, for its headers. */
export async function whole<T>(
  call: Promise<Answered<T>>,
): Promise<{ data: T; response: Response }> {
  let got: Answered<T>;
  try {
    got = await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, "no_answer", "No answer", "The server could not be reached.");
  }
  if (got.error !== undefined || !got.response.ok) throw problemOf(got.response, got.error);
  return { data: got.data as T, response: got.response };
}

/** The problem that a response tells of. */
export function problemOf(response: Response, body: unknown): Problem {
  const told: Partial<Record<string, unknown>> = isRecord(body) ? body : {};
  const text = (name: string, otherwise: string): string => {
    const value = told[name];
    return typeof value === "string" ? value : otherwise;
  };
  const fields = Array.isArray(told["errors"]) ? (told["errors"] as FieldProblem[]) : [];
  const title = text("title", response.statusText || `HTTP ${response.status}`);
  return new Problem(response.status, text("code", "http_error"), title, text("detail", ""), fields);
}

/** Headers for a call that changes something: told twice, it is done once. */
export function once(): Record<string, string> {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const key = Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  return { "Idempotency-Key": key, ...proof() };
}

/** Headers that prove that this page asks. */
export function proof(): Record<string, string> {
  const token = csrfToken();
  return token ? { "X-CSRF-Token": token } : {};
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
