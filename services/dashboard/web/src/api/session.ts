// Who is asking, what they may do, and the token that proves a change was asked for by this page.
import { signal } from "@preact/signals";

export interface Me {
  name: string;
  rights: readonly string[];
  csrfToken: string;
  mayLogOut: boolean;
}

/** Undefined until it is known; a server without logins tells of someone who may everything. */
export const me = signal<Me | undefined>(undefined);

export function csrfToken(): string {
  return me.value?.csrfToken ?? "";
}

/** Whether who is asking manages tokens and people; false until it is known. */
export function mayAdmin(): boolean {
  return me.value?.rights.includes("admin") ?? false;
}

/** Whether who is asking may work on incidents; true until it is known. */
export function mayRespond(): boolean {
  return me.value?.rights.includes("respond") ?? true;
}
