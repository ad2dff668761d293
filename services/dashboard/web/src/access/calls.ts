// What admins do about tokens and people. Answers bring secrets once: none of them is kept.
import { answer, api, proof } from "../api/client";
import type { Person, Right, Role, Token, TokenMade } from "../api/types";

export function makeToken(name: string, scopes: Right[], days: number | null): Promise<TokenMade> {
  return answer(api.POST("/api/v1/tokens", { body: { name, scopes, days }, headers: proof() }));
}

export function revokeToken(token_id: string): Promise<Token> {
  return answer(
    api.POST("/api/v1/tokens/{token_id}/revoke", {
      params: { path: { token_id } },
      headers: proof(),
    }),
  );
}

export function addPerson(name: string, role: Role, password: string): Promise<Person> {
  return answer(api.POST("/api/v1/people", { body: { name, role, password }, headers: proof() }));
}

export function changePerson(
  name: string,
  change: { role?: Role; password?: string },
): Promise<Person> {
  return answer(
    api.PATCH("/api/v1/people/{name}", {
      params: { path: { name } },
      body: change,
      headers: proof(),
    }),
  );
}

export function removePerson(name: string): Promise<Person> {
  return answer(
    api.DELETE("/api/v1/people/{name}", { params: { path: { name } }, headers: proof() }),
  );
}
