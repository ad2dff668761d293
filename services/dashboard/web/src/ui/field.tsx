// One line to write into, below what it asks for.
export function Field(props: {
  id: string;
  label: string;
  value: string;
  set: (value: string) => void;
  type?: "text" | "search" | "password" | "number";
  most?: number;
  placeholder?: string;
}) {
  const type = props.type ?? "text";
  return (
    <div>
      <label for={props.id}>{props.label}</label>
      <input
        id={props.id}
        class="wide"
        type={type as "text"} // the types want one literal, any of ours is right
        value={props.value}
        maxLength={props.most ?? 200}
        placeholder={props.placeholder}
        autocomplete={type === "password" ? "new-password" : "off"}
        onInput={(event) => props.set(event.currentTarget.value)}
      />
    </div>
  );
}
