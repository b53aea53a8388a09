import type { FieldError } from "../../../core/problem/field-error.ts";
import { invalid } from "../http/refusal.ts";
import type { Tool } from "./tool.ts";
import { limitTools } from "./tools/limits.ts";
import { lockTools } from "./tools/locks.ts";
import { mailTools } from "./tools/mail.ts";
import { noteTools } from "./tools/notes.ts";
import { operationTools } from "./tools/operation.ts";
import { questionTools } from "./tools/questions.ts";
import { scheduleTools } from "./tools/schedules.ts";
import { signalTools } from "./tools/signals.ts";
import { stateTools } from "./tools/state.ts";
import { workTools } from "./tools/work.ts";

/** Tools that belong together. */
interface Group {
  readonly name: string;
  /** Listed without being asked for. All such groups together have 16 tools at most: more of them confuse a model. */
  readonly byDefault: boolean;
  readonly tools: readonly Tool[];
}

/** Every group, in the order of the list. A new one is a file in tools/ and a row here. */
export const GROUPS: readonly Group[] = [
  { name: "state", byDefault: true, tools: stateTools },
  { name: "signals", byDefault: true, tools: signalTools },
  { name: "work", byDefault: true, tools: workTools },
  { name: "operation", byDefault: true, tools: operationTools },
  { name: "mail", byDefault: false, tools: mailTools },
  { name: "schedules", byDefault: false, tools: scheduleTools },
  { name: "coordination", byDefault: false, tools: [...noteTools, ...questionTools, ...lockTools] },
  { name: "limits", byDefault: false, tools: limitTools },
];

/** Stands for the groups that are listed without being asked for. */
const DEFAULT = "default";

/**
 * The tools of the groups that `?tools=` names, in the order of {@link GROUPS}.
 *
 * @param query - `undefined`: the default groups
 * @throws Refusal where there is no such group
 */
export function selectedTools(query: string | undefined): readonly Tool[] {
  const names = (query ?? DEFAULT).split(",").map((name) => name.trim());
  const known = [DEFAULT, ...GROUPS.map(({ name }) => name)];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const message = `give groups of tools with commas between them: ${known.join(", ")}`;
    const errors: FieldError[] = [{ pointer: "/query/tools", message }];
    throw invalid("invalid-query", "The request is not valid", errors);
  }
  const chosen = GROUPS.filter(({ name, byDefault }) => names.includes(name) || (byDefault && names.includes(DEFAULT)));
  return chosen.flatMap(({ tools }) => tools);
}

/** The group of a tool; `undefined`: there is no such tool. */
export const groupOf = (tool: string): string | undefined =>
  GROUPS.find(({ tools }) => tools.some(({ name }) => name === tool))?.name;
