import type { QuestionFinding } from "../questions/api.ts";
import type { AttentionAction } from "./api.ts";
import type { EcosystemState } from "./ecosystem-state.ts";
import { type Finding, look } from "./finding.ts";

/** A question that expires within this time is critical. */
const SOON_MS = 900_000;
const SHOWN_CHARS = 200;

/** Questions that wait for people, a row each. */
export function questionFindings({ questions, ecosystem, nowMs }: EcosystemState): Finding[] {
  return (questions ?? []).map((question) => findingOf(question, ecosystem, nowMs));
}

function findingOf(found: QuestionFinding, ecosystem: string, nowMs: number): Finding {
  const { id, question, recipient, options, expires_at, escalated_at, escalate_to, asked_at, tasks } = found;
  const soon = Date.parse(expires_at) - nowMs < SOON_MS;
  const who = escalated_at === null || escalate_to === null ? recipient : `${recipient} and ${escalate_to}`;
  const answers = options === null ? "" : ` (${options.join(", ")})`;
  return {
    id: `question_open/${id}`,
    kind: "question_open",
    severity: soon ? "critical" : escalated_at === null ? "info" : "warning",
    subject: id,
    what: `a question waits for ${who}, until ${expires_at}`,
    why: `${cut(question)}${answers}`,
    since: asked_at,
    consequence:
      tasks === 0 ? "its asker waits" : `${tasks} ${tasks === 1 ? "task waits" : "tasks wait"} for the answer`,
    next_step: `ganglion questions answer ${id} ${options === null ? "<answer>" : JSON.stringify(options[0])}`,
    action: look("Show the question", ecosystem, `/questions/${encodeURIComponent(id)}`),
    ...(options === null ? {} : { choices: options.map((answer) => answering(ecosystem, id, answer)) }),
    chain: found.signal,
    explainedBy: [],
  };
}

const answering = (ecosystem: string, id: string, answer: string): AttentionAction => ({
  label: `Answer "${answer}"`,
  method: "POST",
  path: `/v1/${encodeURIComponent(ecosystem)}/questions/${encodeURIComponent(id)}/answer`,
  body: { answer },
});

const cut = (text: string): string => (text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text);
