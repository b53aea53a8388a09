import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { reasonOf } from "./words.ts";

/** What is wrong, in words. */
export function Problem({ children }: { readonly children: string }) {
  return (
    <p class="problem" role="alert">
      ▲ {children}
    </p>
  );
}

interface FormProps {
  /** Text of the button. */
  readonly label: string;
  readonly submit: () => Promise<unknown>;
  readonly disabled?: boolean;
  /** Absent: there is no button to leave the form. */
  readonly onCancel?: () => void;
  readonly children: ComponentChildren;
}

/** A form that is sent through the API. Where that fails, the form stays, and the reason stands above its buttons. */
export function Form({ label, submit, disabled, onCancel, children }: FormProps) {
  const [problem, setProblem] = useState("");
  const send = async (event: Event) => {
    event.preventDefault();
    setProblem("");
    try {
      await submit();
    } catch (error) {
      setProblem(reasonOf(error));
    }
  };
  return (
    <form class="form" onSubmit={send}>
      {children}
      {problem !== "" && <Problem>{problem}</Problem>}
      <div class="dialog-foot">
        {onCancel !== undefined && (
          <button type="button" onClick={onCancel}>
            Cancel
          </button>
        )}
        <button type="submit" class="primary" disabled={disabled}>
          {label}
        </button>
      </div>
    </form>
  );
}

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly required?: boolean;
  readonly maxLength?: number;
  readonly onChange: (value: string) => void;
}

/** A field of a form, with its label. */
export function Field({ label, onChange, ...input }: FieldProps) {
  return (
    <label class="form">
      {label}
      <input {...input} onInput={({ currentTarget }) => onChange(currentTarget.value)} />
    </label>
  );
}

interface AreaProps {
  readonly label: string;
  readonly value: string;
  readonly rows: number;
  readonly onChange: (value: string) => void;
  readonly readOnly?: boolean;
  /** The text is code. */
  readonly mono?: boolean;
}

/** A field of several lines. */
export function Area({ label, onChange, mono, ...area }: AreaProps) {
  return (
    <label class="form">
      {label}
      <textarea
        class={mono === true ? "mono" : ""}
        spellcheck={mono !== true}
        {...area}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
    </label>
  );
}
