// Tokens of programs: which there are, one more, one less.
import { useState } from "preact/hooks";
import { answer, api } from "../api/client";
import type { Right, Token } from "../api/types";
import { now } from "../state/clock";
import { useResource } from "../state/resource";
import { say } from "../ui/announce";
import { Choices } from "../ui/choices";
import { DialogForm } from "../ui/dialog";
import { Field } from "../ui/field";
import { When } from "../ui/marks";
import { Columns, Copyable, Failed, Loading, Scroll } from "../ui/states";
import { makeToken, revokeToken } from "./calls";

const SCOPES: readonly (readonly [Right, string])[] = [
  ["ingest", "send samples, alerts and changes"],
  ["read", "see incidents and all that belongs to them"],
  ["respond", "work on incidents; may read as well"],
  ["admin", "manage tokens and people; may do all"],
];

export function Tokens() {
  const found = useResource("tokens", (signal) => answer(api.GET("/api/v1/tokens", { signal })));
  const [asked, setAsked] = useState<"new" | Token>();
  const [made, setMade] = useState("");
  const close = () => setAsked(undefined);
  return (
    <section aria-labelledby="h-tokens">
      <div class="page-head">
        <h2 id="h-tokens">Tokens</h2>
        <button type="button" onClick={() => setAsked("new")}>
          New token
        </button>
      </div>
      {made && <Made text={made} onClose={() => setMade("")} />}
      {found.problem && <Failed problem={found.problem} retry={found.reload} />}
      {!found.data && !found.problem && <Loading what="tokens" />}
      {found.data?.items.length === 0 && (
        <p class="quiet">No token yet. A sender needs one wherever access is set up.</p>
      )}
      {found.data && found.data.items.length > 0 && (
        <TokenTable tokens={found.data.items} onRevoke={setAsked} />
      )}
      {asked === "new" && (
        <NewToken
          onClose={close}
          onMade={(text) => {
            setMade(text);
            void found.reload();
          }}
        />
      )}
      {typeof asked === "object" && (
        <DialogForm
          title={`Revoke ${asked.name}?`}
          deed="Revoke"
          onClose={close}
          onChosen={async () => {
            await revokeToken(asked.id);
            say(`${asked.name} is revoked.`);
            void found.reload();
          }}
        >
          <p>Whatever shows it is refused within seconds. A revoked token stays revoked.</p>
        </DialogForm>
      )}
    </section>
  );
}

function Made({ text, onClose }: { text: string; onClose: () => void }) {
  return (
    <div class="banner warn" role="status">
      <strong>Copy the token now: it is not shown again.</strong>
      <Copyable text={text} label="The new token" />
      <button type="button" class="plain" onClick={onClose}>
        I have it
      </button>
    </div>
  );
}

function TokenTable(props: { tokens: readonly Token[]; onRevoke: (token: Token) => void }) {
  return (
    <Scroll label="Every token">
      <table>
        <Columns names={["Name", "May", "Made", "Expires", "Last used", "State"]} />
        <tbody>
          {props.tokens.map((token) => (
            <tr key={token.id}>
              <th scope="row">
                {token.name} <code class="quiet">{token.id}</code>
              </th>
              <td>{token.scopes.join(", ")}</td>
              <td>
                <When unix={token.created_unix} />
              </td>
              <td>{token.expires_unix === null ? "never" : <When unix={token.expires_unix} />}</td>
              <td>{token.used_unix === null ? "never" : <When unix={token.used_unix} />}</td>
              <td>
                {token.valid && (
                  <button type="button" class="link" onClick={() => props.onRevoke(token)}>
                    Revoke<span class="hidden"> {token.name}</span>
                  </button>
                )}
                {!token.valid && <span class="quiet">{ended(token)}</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function ended(token: Token): string {
  if (token.revoked_unix !== null) return "revoked";
  return token.expires_unix !== null && token.expires_unix <= now.value ? "expired" : "not valid";
}

function NewToken({ onClose, onMade }: { onClose: () => void; onMade: (text: string) => void }) {
  const [name, setName] = useState("");
  const [days, setDays] = useState("365");
  const [scopes, setScopes] = useState<readonly Right[]>([]);
  return (
    <DialogForm
      title="New token"
      deed="Make it"
      ready={name.trim() !== "" && scopes.length > 0}
      onClose={onClose}
      onChosen={async () => {
        const made = await makeToken(name.trim(), [...scopes], days === "" ? null : Number(days));
        onMade(made.text);
      }}
    >
      <Field
        id="token-name"
        label="What is it for?"
        value={name}
        set={setName}
        most={64}
        placeholder="prometheus"
      />
      <Choices
        legend="What may it do?"
        all={SCOPES.map(([key, words]) => ({
          key,
          name: key,
          more: <span class="quiet">{words}</span>,
        }))}
        chosen={scopes}
        choose={setScopes}
      />
      <Field
        id="token-days"
        label="Days until it expires, empty for never"
        type="number"
        value={days}
        set={setDays}
      />
    </DialogForm>
  );
}
