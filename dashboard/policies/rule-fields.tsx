import { useEffect, useId, useState } from "preact/hooks";
import type { RuleDocument } from "../../src/client/policy.ts";
import {
  EFFECT_KINDS,
  EFFECTS,
  type EffectForm,
  type EffectKind,
  effectForm,
  effectsOf,
  linesOf,
  mapOf,
  namesIn,
  newEffect,
  patternsOf,
  withEffect,
  withEffectField,
  withField,
} from "./rule-form.ts";

interface RuleProps {
  readonly rule: RuleDocument;
  readonly onChange: (rule: RuleDocument) => void;
}

/** The fields of a rule that most rules have. The JSON below holds all, and changes with them. */
export function RuleFields({ rule, onChange }: RuleProps) {
  const set = (name: string) => (value: unknown) => onChange(withField(rule, name, value));
  const effects = effectsOf(rule);
  return (
    <fieldset class="form">
      <legend>Common fields</legend>
      <Text label="What it is for" value={rule.description} onChange={set("description")} />
      <Typed
        label="When a signal comes of these names (* stands for anything)"
        text={patternsOf(rule).join(", ")}
        same={(typed) => namesIn(typed).join() === patternsOf(rule).join()}
        onType={(typed) => {
          onChange({ ...rule, when: namesIn(typed) });
          return undefined;
        }}
      />
      <Text label="Where (an expression; empty: always)" value={rule.where} onChange={set("where")} mono />
      <Text label="Not again for (30s, 10m, 2h; empty: no limit)" value={rule.cooldown} onChange={set("cooldown")} />
      <label class="check">
        <input
          type="checkbox"
          checked={rule.enabled !== false}
          onChange={({ currentTarget }) => onChange({ ...rule, enabled: currentTarget.checked })}
        />{" "}
        Enabled
      </label>
      {effects.map((effect, place) => (
        <Effect
          key={place}
          place={place}
          form={effectForm(effect)}
          onChange={(changed) => onChange(withEffect(rule, place, changed))}
        />
      ))}
      <div class="tally">
        {EFFECT_KINDS.map((kind) => (
          <button
            key={kind}
            type="button"
            onClick={() => onChange(withEffect(rule, effects.length, newEffect(kind)))}
          >{`+ ${EFFECTS[kind].title}`}</button>
        ))}
      </div>
    </fieldset>
  );
}

interface EffectProps {
  readonly place: number;
  /** `undefined`: only the JSON shows the effect whole. */
  readonly form: EffectForm | undefined;
  readonly onChange: (effect: Readonly<Record<string, unknown>> | undefined) => void;
}

function Effect({ place, form, onChange }: EffectProps) {
  const title = `Then, ${place + 1}`;
  return (
    <fieldset class="form">
      <legend>{title}</legend>
      {form === undefined ? (
        <p class="faint">This effect is edited as JSON, below.</p>
      ) : (
        <KnownEffect form={form} onChange={onChange} />
      )}
      <button type="button" class="quiet" aria-label={`Take away: ${title}`} onClick={() => onChange(undefined)}>
        Take away
      </button>
    </fieldset>
  );
}

function KnownEffect({ form, onChange }: { readonly form: EffectForm; readonly onChange: EffectProps["onChange"] }) {
  const { kind, fields } = form;
  const { texts, map, mapTitle } = EFFECTS[kind];
  const lines = linesOf(fields[map]) ?? "";
  const change = (typed: string) => {
    const read = mapOf(typed);
    if (!("map" in read)) return read.problem;
    onChange(withEffectField(form, map, Object.keys(read.map).length === 0 ? undefined : read.map));
    return undefined;
  };
  return (
    <>
      <label>
        Do
        <select value={kind} onChange={({ currentTarget }) => onChange(newEffect(currentTarget.value as EffectKind))}>
          {EFFECT_KINDS.map((one) => (
            <option key={one} value={one}>
              {EFFECTS[one].title}
            </option>
          ))}
        </select>
      </label>
      {texts.map(([name, label]) => (
        <Text
          key={name}
          label={label}
          value={fields[name]}
          onChange={(value) => onChange(withEffectField(form, name, value))}
        />
      ))}
      <Typed
        label={`${mapTitle} (a line each, name: expression)`}
        text={lines}
        same={(typed) => {
          const read = mapOf(typed);
          return "map" in read && JSON.stringify(read.map) === JSON.stringify(fields[map] ?? {});
        }}
        onType={change}
        rows={3}
      />
    </>
  );
}

interface TextProps {
  readonly label: string;
  readonly value: unknown;
  readonly onChange: (value: string) => void;
  readonly mono?: boolean;
}

function Text({ label, value, onChange, mono = false }: TextProps) {
  return (
    <label>
      {label}
      <input
        class={mono ? "mono" : ""}
        spellcheck={false}
        value={typeof value === "string" ? value : ""}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
    </label>
  );
}

interface TypedProps {
  readonly label: string;
  /** What the rule holds, as a text. */
  readonly text: string;
  /** Whether a text says what the rule holds. */
  readonly same: (typed: string) => boolean;
  /** @returns why the text cannot be taken */
  readonly onType: (typed: string) => string | undefined;
  /** Of a field of several lines. */
  readonly rows?: number;
}

/** A text that is read into something else. It stays as it was typed while it says the same. */
function Typed({ label, text, same, onType, rows }: TypedProps) {
  const id = useId();
  const [typed, setTyped] = useState(text);
  const [problem, setProblem] = useState<string | undefined>();
  useEffect(() => {
    if (same(typed)) return;
    setTyped(text);
    setProblem(undefined);
  }, [text]);
  const type = (value: string) => {
    setTyped(value);
    setProblem(onType(value));
  };
  return (
    <div class="labelled">
      <label for={id}>{label}</label>
      {rows === undefined ? (
        <input id={id} spellcheck={false} value={typed} onInput={({ currentTarget }) => type(currentTarget.value)} />
      ) : (
        <textarea
          id={id}
          class="mono"
          rows={rows}
          spellcheck={false}
          aria-invalid={problem !== undefined}
          value={typed}
          onInput={({ currentTarget }) => type(currentTarget.value)}
        />
      )}
      {problem !== undefined && (
        <span class="problem" role="alert">
          ▲ {problem}
        </span>
      )}
    </div>
  );
}
