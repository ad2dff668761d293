// People who log in: who there is, what they may do, a new password, and farewell.
import { useState } from "preact/hooks";
import { answer, api } from "../api/client";
import { me } from "../api/session";
import type { Person, Role } from "../api/types";
import { asProblem, useResource } from "../state/resource";
import { say } from "../ui/announce";
import { DialogForm } from "../ui/dialog";
import { Field } from "../ui/field";
import { When } from "../ui/marks";
import { Columns, Failed, Loading, Scroll } from "../ui/states";
import { addPerson, changePerson, removePerson } from "./calls";

const LEAST = 12;
const ROLES: readonly (readonly [Role, string])[] = [
  ["viewer", "sees everything"],
  ["responder", "works on incidents"],
  ["admin", "manages tokens and people"],
];

type Asked = { kind: "add" } | { kind: "password" | "remove"; person: Person };

export function People() {
  const found = useResource("people", (signal) => answer(api.GET("/api/v1/people", { signal })));
  const [asked, setAsked] = useState<Asked>();
  const reload = () => void found.reload();
  const close = () => setAsked(undefined);
  const give = async (person: Person, role: Role) => {
    try {
      await changePerson(person.name, { role });
      say(`${person.name} is ${role} now and logs in anew.`);
    } catch (error) {
      say(asProblem(error).message);
    }
    reload();
  };
  return (
    <section aria-labelledby="h-people">
      <div class="page-head">
        <h2 id="h-people">People</h2>
        <button type="button" onClick={() => setAsked({ kind: "add" })}>
          Add somebody
        </button>
      </div>
      {found.problem && <Failed problem={found.problem} retry={reload} />}
      {!found.data && !found.problem && <Loading what="people" />}
      {found.data?.items.length === 0 && <p class="quiet">Nobody logs in with a password yet.</p>}
      {found.data && found.data.items.length > 0 && (
        <PeopleTable people={found.data.items} ask={setAsked} give={give} />
      )}
      {asked && <Ask asked={asked} onClose={close} reload={reload} />}
    </section>
  );
}

function PeopleTable(props: {
  people: readonly Person[];
  ask: (asked: Asked) => void;
  give: (person: Person, role: Role) => void;
}) {
  return (
    <Scroll label="Everyone who logs in">
      <table>
        <Columns names={["Name", "Role", "Since", "Change"]} />
        <tbody>
          {props.people.map((person) => {
            const own = person.name === me.value?.name;
            return (
              <tr key={person.name}>
                <th scope="row">
                  {person.name} {own && <span class="quiet">(you)</span>}
                </th>
                <td>
                  <RoleChoice
                    value={person.role}
                    label={`Role of ${person.name}`}
                    disabled={own}
                    choose={(role) => props.give(person, role)}
                  />
                </td>
                <td>
                  <When unix={person.created_unix} />
                </td>
                <td class="row">
                  {(["password", "remove"] as const).map((kind) =>
                    kind === "remove" && own ? null : (
                      <button
                        key={kind}
                        type="button"
                        class="link"
                        onClick={() => props.ask({ kind, person })}
                      >
                        {kind === "password" ? "New password" : "Remove"}
                        <span class="hidden"> {person.name}</span>
                      </button>
                    ),
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}

function RoleChoice(props: {
  value: Role;
  choose: (role: Role) => void;
  id?: string;
  label?: string;
  disabled?: boolean;
}) {
  return (
    <select
      id={props.id}
      aria-label={props.label}
      disabled={props.disabled}
      value={props.value}
      onChange={(event) => props.choose(event.currentTarget.value as Role)}
    >
      {ROLES.map(([role, words]) => (
        <option key={role} value={role}>
          {role}: {words}
        </option>
      ))}
    </select>
  );
}

function Ask(props: { asked: Asked; onClose: () => void; reload: () => void }) {
  const { asked, reload, onClose } = props;
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [password, setPassword] = useState("");
  const whom = asked.kind === "add" ? name.trim() : asked.person.name;
  const deeds: Record<Asked["kind"], [string, string, () => Promise<Person>, string]> = {
    add: ["Who may log in?", "Add", () => addPerson(whom, role, password), "may log in now."],
    password: [
      `A new password for ${whom}`,
      "Set it",
      () => changePerson(whom, { password }),
      "has a new password and logs in anew.",
    ],
    remove: [`Remove ${whom}?`, "Remove", () => removePerson(whom), "may not log in any more."],
  };
  const [title, deed, act, words] = deeds[asked.kind];
  const secret = asked.kind !== "remove";
  return (
    <DialogForm
      title={title}
      deed={deed}
      ready={whom !== "" && (!secret || password.length >= LEAST)}
      onClose={onClose}
      onChosen={async () => {
        await act();
        say(`${whom} ${words}`);
        reload();
      }}
    >
      {asked.kind === "add" && (
        <>
          <Field id="person-name" label="Name" value={name} set={setName} />
          <div>
            <label for="person-role">Role</label>{" "}
            <RoleChoice id="person-role" value={role} choose={setRole} />
          </div>
        </>
      )}
      {secret && (
        <Field
          id="person-password"
          label={`Password, at least ${LEAST} characters`}
          type="password"
          value={password}
          set={setPassword}
        />
      )}
      {asked.kind === "remove" && <p>Their logins end at once. What they did stays in the audit log.</p>}
    </DialogForm>
  );
}
