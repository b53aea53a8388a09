import type { QuestionFinding } from "../questions/api.ts";
import { BEHAVIORS, type Behavior } from "../questions/permission.ts";
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
  if (found.permission !== undefined) return permissionFinding(found, found.permission, ecosystem);
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

/** A session waits for it, and for minutes alone. */
function permissionFinding(
  { id, question, recipient, expires_at, asked_at, signal }: QuestionFinding,
  { tool_name, input_preview }: NonNullable<QuestionFinding["permission"]>,
  ecosystem: string,
): Finding {
  return {
    id: `question_open/${id}`,
    kind: "question_open",
    severity: "critical",
    subject: id,
    what: `the use of ${tool_name} waits for ${recipient} to allow it, until ${expires_at}`,
    why: cut(input_preview === null ? question : `${question} ${input_preview}`),
    since: asked_at,
    consequence: "the session waits, unless somebody answers in its own dialog",
    next_step: `ganglion permissions show ${id}`,
    action: look("Show the request", ecosystem, `/questions/${encodeURIComponent(id)}`),
    choices: BEHAVIORS.map((behavior) => deciding(ecosystem, id, behavior)),
    chain: signal,
    explainedBy: [],
  };
}

const deciding = (ecosystem: string, id: string, behavior: Behavior): AttentionAction => ({
  label: behavior === "allow" ? "Allow" : "Deny",
  method: "POST",
  path: `/v1/${encodeURIComponent(ecosystem)}/permissions/${encodeURIComponent(id)}/answer`,
  body: { behavior },
});

const answering = (ecosystem: string, id: string, answer: string): AttentionAction => ({
  label: `Answer "${answer}"`,
  method: "POST",
  path: `/v1/${encodeURIComponent(ecosystem)}/questions/${encodeURIComponent(id)}/answer`,
  body: { answer },
});

const cut = (text: string): string => (text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text);
