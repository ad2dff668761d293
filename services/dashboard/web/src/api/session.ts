// The token that proves a change was asked for by this page.
let token = "";

export function csrfToken(): string {
  return token;
}

export function keepCsrfToken(value: string): void {
  token = value;
}
