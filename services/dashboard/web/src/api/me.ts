// Ask the server who we are.
import { answer, api } from "./client";
import { me } from "./session";

export async function readMe(): Promise<void> {
  const told = await answer(api.GET("/api/v1/me"));
  me.value = {
    name: told.name,
    rights: told.rights,
    csrfToken: told.csrf_token,
    mayLogOut: told.may_log_out,
  };
}
