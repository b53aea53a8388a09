import { useState } from "preact/hooks";
import { ApiProblem } from "../../src/client/http/problem-errors.ts";
import { policyCalls } from "../../src/client/policy.ts";
import type { PolicyHistory } from "../../src/core/policy/api.ts";
import type { Simulated } from "../../src/core/policy/simulated.ts";
import { edgeOf } from "../base/edge.ts";
import { open, queryOf, to } from "../base/router.ts";
import { ONCE, usePolled } from "../base/use-polled.ts";
import { Badge, Head, Loaded, When } from "../parts/basics.tsx";
import { Changing } from "../parts/changing.tsx";
import { Act } from "../parts/dialog.tsx";
import { Problem } from "../parts/form.tsx";
import { notify } from "../parts/toasts.tsx";
import { reasonOf } from "../parts/words.ts";
import { Differences } from "./differences.tsx";
import { LineDiff } from "./line-diff.tsx";
import { RuleFields } from "./rule-fields.tsx";
import { readRule, ruleText } from "./rule-text.ts";
import { Versions } from "./versions.tsx";

const NEW_RULE = `{
  "description": "What it is for",
  "when": ["SOMETHING_HAPPENED"],
  "where": "facts.count > 10",
  "then": [{ "emit": { "signal": "SOMEBODY_LOOK", "facts": { "count": "facts.count" } } }]
}`;

/** The past on which a changed rule is tried. */
const STRETCHES = [
  ["1", "the last hour"],
  ["24", "the last day"],
  ["168", "the last 7 days"],
] as const;

const HOUR_MS = 3_600_000;

export function OnePolicy({ ecosystem, id }: { readonly ecosystem: string; readonly id: string }) {
  const calls = policyCalls(edgeOf(ecosystem));
  const isNew = queryOf("new") === "1";
  const history = usePolled(`${ecosystem} ${id}`, () => (isNew ? NOTHING : calls.show(id)), ONCE);
  return (
    <>
      <Head title={isNew ? "New rule" : id} about={<a href={to("policies")}>All rules</a>} />
      <Loaded of={history}>
        {(found) => (
          <Editor
            key={found.policy?.version ?? 0}
            calls={calls}
            id={id}
            found={found}
            isNew={isNew}
            reload={history.reload}
          />
        )}
      </Loaded>
    </>
  );
}

const NOTHING = Promise.resolve<PolicyHistory>({ policy: null, versions: [] });

interface EditorProps {
  readonly calls: ReturnType<typeof policyCalls>;
  readonly id: string;
  readonly found: PolicyHistory;
  readonly isNew: boolean;
  readonly reload: () => void;
}

function Editor({ calls, id: given, found, isNew, reload }: EditorProps) {
  const { policy, versions } = found;
  const inForce = policy === null ? "" : ruleText(policy);
  const [id, setId] = useState(given);
  const [text, setText] = useState(policy === null ? NEW_RULE : inForce);
  const [hours, setHours] = useState("24");
  const [busy, setBusy] = useState("");
  const [problems, setProblems] = useState<readonly string[]>([]);
  const [simulated, setSimulated] = useState<{ readonly text: string; readonly result: Simulated } | undefined>();
  const read = readRule(text);

  const during = async (what: string, act: () => Promise<void>) => {
    setBusy(what);
    setProblems([]);
    try {
      await act();
    } catch (error) {
      setProblems(problemsOf(error));
    } finally {
      setBusy("");
    }
  };
  const simulate = () =>
    during("Simulating…", async () => {
      if (!("rule" in read)) throw new Error(read.problem);
      const since = new Date(Date.now() - Number(hours) * HOUR_MS).toISOString();
      setSimulated({ text, result: await calls.simulate(id, { since, rule: read.rule }) });
    });
  const apply = () =>
    during("Applying…", async () => {
      if (!("rule" in read)) throw new Error(read.problem);
      // Only over the version that was edited here: nobody's change is overwritten unseen.
      const put = await calls.put(id, { ...read.rule, version: policy?.version ?? 0 });
      notify(`${id} is in force, version ${put.version}`);
      if (isNew) open(to("policies", id));
      else reload();
    });

  return (
    <>
      {policy !== null && (
        <p class="tally">
          <Badge tone={policy.quarantined !== undefined ? "critical" : policy.enabled ? "good" : "calm"}>
            {policy.quarantined !== undefined
              ? `quarantined: ${policy.quarantined.reason}`
              : policy.enabled
                ? "in force"
                : "off"}
          </Badge>
          <span class="faint">
            version {policy.version}, <When at={policy.changed_at} /> by {policy.changed_by ?? "Ganglion"}
          </span>
        </p>
      )}
      <div class="editor">
        <div>
          {isNew && (
            <label class="form">
              Id
              <input value={id} onInput={({ currentTarget }) => setId(currentTarget.value)} />
            </label>
          )}
          {"rule" in read ? (
            <RuleFields rule={read.rule} onChange={(rule) => setText(JSON.stringify(rule, null, 2))} />
          ) : (
            <p class="faint">The form is here again as soon as the text below is a rule.</p>
          )}
          <label class="form">
            The rule (JSON)
            <textarea
              class="mono code"
              rows={18}
              spellcheck={false}
              value={text}
              onInput={({ currentTarget }) => setText(currentTarget.value)}
            />
          </label>
          {[...("problem" in read ? [read.problem] : []), ...problems].map((problem) => (
            <Problem key={problem}>{problem}</Problem>
          ))}
          <div class="tally">
            <label>
              on{" "}
              <select value={hours} onChange={({ currentTarget }) => setHours(currentTarget.value)}>
                {STRETCHES.map(([value, words]) => (
                  <option key={value} value={value}>
                    {words}
                  </option>
                ))}
              </select>
            </label>
            <button type="button" disabled={busy !== "" || "problem" in read} onClick={simulate}>
              {busy === "Simulating…" ? busy : "Simulate"}
            </button>
            <Changing>
              <button
                type="button"
                class="primary"
                disabled={busy !== "" || "problem" in read || text === inForce}
                onClick={apply}
              >
                {busy === "Applying…" ? busy : "Apply"}
              </button>
            </Changing>
            {text !== inForce && simulated?.text !== text && (
              <span class="faint">not simulated since the last change</span>
            )}
            {policy !== null && (!policy.built_in || policy.modified) && (
              <Act
                label={policy.built_in ? "Back to the original" : "Delete"}
                kind="danger"
                about={id}
                confirm={policy.built_in ? `Undo all changes of ${id}?` : `Delete ${id}? Its versions stay.`}
                run={() => calls.remove(id)}
                done={`${id} is ${policy.built_in ? "as it came" : "deleted"}`}
                after={reload}
              />
            )}
          </div>
        </div>
        <div>
          {text !== inForce && policy !== null && <LineDiff title="Your change" before={inForce} after={text} />}
          {simulated !== undefined && (
            <Differences id={id} simulated={simulated.result} stale={simulated.text !== text} />
          )}
        </div>
      </div>
      <Versions versions={versions} onTake={setText} />
    </>
  );
}

/** Each field that is wrong, with its place; or the one reason. */
function problemsOf(error: unknown): string[] {
  const fields = error instanceof ApiProblem ? error.problem.errors : undefined;
  if (fields === undefined || fields.length === 0) return [reasonOf(error)];
  return fields.map(({ pointer, message }) => `${pointer}: ${message}`);
}
