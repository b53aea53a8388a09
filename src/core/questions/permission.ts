import * as z from "zod";
import type { FieldError } from "../problem/field-error.ts";
import { fieldErrors } from "../problem/field-errors.ts";
import { withoutSecrets } from "./hide-secrets.ts";
import { admitQuestion, Person, QUESTION_ID, QUESTION_ID_RULE, type QuestionTerms } from "./settings.ts";
import type { PermissionRequest } from "./state.ts";

/** What a person decides about the use of a tool. */
export const BEHAVIORS = ["allow", "deny"] as const;
export type Behavior = (typeof BEHAVIORS)[number];

/** Characters of what a tool is about to do that are kept. */
export const MAX_PREVIEW = 1_000;
const MAX_DESCRIPTION = 500;
const MAX_GIVEN = 16_384;
const DEFAULT_EXPIRY = "10m";
const LONGEST_MS = 86_400_000;

/** A request of permission, as the program sends it in which a model waits. */
export const PermissionInput = z.strictObject({
  id: z.string().regex(QUESTION_ID, { message: QUESTION_ID_RULE }).optional().meta({
    description: "Your id of the request: sent again under it, it is the same request. Default: a new one",
  }),
  tool_name: z.string().min(1).max(200).meta({ description: "The tool that is to be used", example: "Bash" }),
  description: z.string().max(MAX_GIVEN).optional().meta({ description: "What it is used for, in a few words" }),
  input_preview: z
    .string()
    .max(MAX_GIVEN)
    .optional()
    .meta({
      description: `What it is used with. ${MAX_PREVIEW} characters are kept, without secrets that are known by their form`,
      example: "npm publish",
    }),
  recipient: Person.meta({ description: "The person or role that decides", example: "ops" }),
  session: z.string().max(200).optional().meta({
    description: "Where the model works, such as its host and directory",
    example: "gpu-01 ~/shop",
  }),
  expires: z
    .union([z.string().max(40), z.number()])
    .optional()
    .meta({ description: "Until when a decision is of use: a time, or a length of time, a day at most. Default: 10m" }),
});
export type PermissionInput = z.input<typeof PermissionInput>;

export const PermissionDecision = z.strictObject({
  behavior: z.enum(BEHAVIORS).meta({ description: "Whether the tool may be used, this once" }),
  comment: z.string().max(2_000).optional().meta({ description: "What is to be recorded beside it" }),
});
export type PermissionDecision = z.infer<typeof PermissionDecision>;

export type PermissionAdmission =
  | { readonly ok: true; readonly id: string | undefined; readonly terms: QuestionTerms }
  | { readonly ok: false; readonly errors: FieldError[] };

/** Admits a request of permission as a question of its own kind, or names everything that is wrong with it. */
export function admitPermission(input: unknown, nowMs: number): PermissionAdmission {
  const parsed = PermissionInput.safeParse(input);
  if (!parsed.success) return { ok: false, errors: fieldErrors(parsed.error.issues, "", PermissionInput) };
  const { id, recipient, expires = DEFAULT_EXPIRY } = parsed.data;
  const permission = permissionOf(parsed.data);
  const question = questionText(permission);
  const admitted = admitQuestion({ id, question, recipient, options: [...BEHAVIORS], expires }, nowMs);
  if (!admitted.ok) return admitted;
  if (admitted.terms.expiresMs > nowMs + LONGEST_MS)
    return { ok: false, errors: [{ pointer: "/expires", message: "is a time from one second to a day after now" }] };
  return { ok: true, id, terms: { ...admitted.terms, permission } };
}

function permissionOf({ tool_name, description, input_preview, session }: PermissionInput): PermissionRequest {
  return {
    tool: tool_name,
    description: description === undefined ? null : withoutSecrets(description, MAX_DESCRIPTION),
    preview: input_preview === undefined ? null : withoutSecrets(input_preview, MAX_PREVIEW),
    session: session ?? null,
  };
}

function questionText({ tool, description, session }: PermissionRequest): string {
  const where = session === null ? "" : ` (${session})`;
  return `May ${tool} be used?${description === null || description === "" ? "" : ` ${description}`}${where}`;
}
