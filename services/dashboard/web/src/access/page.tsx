// Who may come in: tokens for programs, people who log in, and what was done. For admins.
import { mayAdmin, me } from "../api/session";
import { useTitle } from "../ui/title";
import { Loading } from "../ui/states";
import { AuditLog } from "./audit";
import { People } from "./people";
import { Tokens } from "./tokens";

export function AccessPage() {
  useTitle("Access");
  return (
    <>
      <div class="page-head">
        <h1>Access</h1>
      </div>
      <p class="lead">
        Tokens let programs send data or ask the API; people log in with a password. Whatever is
        changed, here or elsewhere, stands in the audit log.
      </p>
      {me.value === undefined && <Loading what="your rights" />}
      {me.value !== undefined && !mayAdmin() && <NotYours />}
      {mayAdmin() && (
        <>
          <Tokens />
          <People />
          <AuditLog />
        </>
      )}
    </>
  );
}

function NotYours() {
  return (
    <section class="empty" role="alert">
      <h2>No permission</h2>
      <p>Only admins manage tokens and people. Ask one of them, or use <code>rootward tokens</code> on the server.</p>
    </section>
  );
}
