import { useId } from "preact/hooks";
import { queryOf, setQuery } from "../base/router.ts";

/** A text field whose value is a part of the URL. */
export function TextFilter({
  name,
  label,
  hint,
}: {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="search"
        data-filter
        autocomplete="off"
        spellcheck={false}
        placeholder={hint}
        value={queryOf(name)}
        onInput={({ currentTarget }) => setQuery({ [name]: currentTarget.value })}
      />
    </div>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly label: string;
  /** Value in the URL and its text; the first stands where the URL has none. */
  /** A text alone: the value reads so, too. */
  readonly options: readonly (string | readonly [value: string, text: string])[];
}

/** A choice whose value is a part of the URL. */
export function ChoiceFilter({ name, label, options: given }: ChoiceProps) {
  const options = given.map((option) => (typeof option === "string" ? ([option, option] as const) : option));
  const id = useId();
  const chosen = queryOf(name);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={options.some(([value]) => value === chosen) ? chosen : (options[0]?.[0] ?? "")}
        onChange={({ currentTarget }) => setQuery({ [name]: currentTarget.value })}
      >
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

/** A switch whose value is a part of the URL: `1`, or absent. */
export function Toggle({ name, children }: { readonly name: string; readonly children: string }) {
  const on = queryOf(name) === "1";
  return (
    <button type="button" class="toggle" aria-pressed={on} onClick={() => setQuery({ [name]: on ? "" : "1" })}>
      {children}
    </button>
  );
}
