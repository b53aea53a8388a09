import * as z from "zod";
import { formatTimestamp } from "../signals/timestamp.ts";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { bindingsOf } from "./bindings.ts";
import { type Caller, expiresMs, Grant } from "./grant.ts";
import { SCOPES, type Scope } from "./scopes.ts";

/**
 * The session of a browser: what a person who has a token may do from the dashboard, without the token in the browser. It
 * ends after a time without calls, after a time in any case, with its token, and when somebody ends it.
 */
const HOUR_MS = 3_600_000;
export const SESSION_IDLE_MS = 12 * HOUR_MS;
export const SESSION_MS = 7 * 24 * HOUR_MS;
/** For how long a code begins a session. */
export const CODE_MS = 60_000;
/** The time of use is written again after this time, and not with each call. */
export const USE_NOTED_EVERY_MS = 5 * 60_000;
/** Sessions, and codes that are still good, of one token. A session more ends the one that was unused for longest. */
export const MAX_SESSIONS = 50;
export const MAX_CODES = 50;

/** What a session may do that only reads. */
const READING: readonly Scope[] = ["signals:read", "tasks:read"];

/** A session as it is stored, beside the digest of its secret. */
export interface StoredSession {
  readonly id: string;
  /** Id of the token with which the session began. */
  readonly token: string;
  readonly act: boolean;
  readonly createdMs: number;
  readonly usedMs: number;
}

/** When a session ends by itself, as things stand. */
export const sessionEndMs = ({ createdMs, usedMs }: Pick<StoredSession, "createdMs" | "usedMs">): number =>
  Math.min(createdMs + SESSION_MS, usedMs + SESSION_IDLE_MS);

/** The scopes of a session: those of its token, or of those what only reads. */
export function sessionScopes({ scopes }: Pick<Grant, "scopes">, act: boolean): readonly Scope[] {
  if (act) return scopes;
  return scopes.includes("admin") ? READING : READING.filter((scope) => scopes.includes(scope));
}

/** What a session may do: no more than its token, for no longer. */
export function sessionGrant(token: Grant, session: Pick<StoredSession, "id" | "act" | "createdMs">): Caller {
  const endMs = Math.min(expiresMs(token) ?? Number.POSITIVE_INFINITY, session.createdMs + SESSION_MS);
  return {
    id: token.id,
    name: token.name,
    scopes: sessionScopes(token, session.act),
    ecosystems: token.ecosystems,
    expires_at: formatTimestamp(endMs),
    ...bindingsOf(token),
    session: { id: session.id, act: session.act },
  };
}

/** The request for a code, by somebody who has a token. */
export const NewSession = z.strictObject({
  act: z
    .boolean()
    .default(false)
    .describe("Whether the session may change what the token may change; otherwise it only reads"),
});

/** A code, with which one browser begins one session. */
export const SessionCode = z.object({
  code: z.string().meta({ description: "Begins one session, once" }),
  path: z.string().meta({ description: "Open this path of the edge in a browser: its fragment is the code" }),
  act: z.boolean().meta({ description: "Whether the session may change what the token may change" }),
  expires_at: Timestamp.meta({ description: "When the code is no longer good" }),
});
export type SessionCode = Readonly<z.infer<typeof SessionCode>>;

/** What the sign-in page sends: a code, or a token that is exchanged for a session at once. */
export const SessionStart = z
  .strictObject({
    code: z.string().min(1).max(128).optional().describe("A code of `POST /v1/sessions`"),
    token: z.string().min(1).max(512).optional().describe("In place of a code: a token"),
    act: z.boolean().optional().describe("With a token: whether the session may change what the token may change"),
  })
  .refine(({ code, token }) => (code === undefined) !== (token === undefined), {
    message: "give a code or a token, and not both",
  })
  .refine(({ code, act }) => code === undefined || act === undefined, {
    message: "leave act out: the code was made with it or without",
    path: ["act"],
  });

export const SessionRecord = z.object({
  id: z.string().meta({ description: "Id of the session" }),
  token: z.string().meta({ description: "Id of the token with which the session began" }),
  token_name: z.string().meta({ description: "Name of that token" }),
  act: z.boolean().meta({ description: "Whether the session may change what its token may change" }),
  created_at: Timestamp.meta({ description: "When the session began" }),
  used_at: Timestamp.meta({ description: "When the session was last used, to five minutes" }),
  expires_at: Timestamp.meta({ description: "When the session ends if it is used no more" }),
});
export type SessionRecord = Readonly<z.infer<typeof SessionRecord>>;

export const Sessions = z.object({
  sessions: z.array(SessionRecord).meta({ description: "The sessions, the latest used first" }),
});

/** Who calls, and what the caller may do. */
export const CurrentSession = z.object({
  session: z
    .object({
      id: z.string().meta({ description: "Id of the session" }),
      act: z.boolean().meta({ description: "Whether the session may change what its token may change" }),
    })
    .nullable()
    .meta({ description: "The session of the browser; null: the call carried a token" }),
  name: z.string().meta({ description: "Name of the token" }),
  scopes: z.array(z.enum(SCOPES)).readonly().meta({ description: "What the caller may do" }),
  ecosystems: Grant.shape.ecosystems.meta({ description: "Where the caller may do that; `*`: in all ecosystems" }),
  expires_at: Timestamp.nullable().meta({ description: "When that ends in any case; null: never" }),
});
export type CurrentSession = Readonly<z.infer<typeof CurrentSession>>;

export function currentSession({ session, name, scopes, ecosystems, expires_at }: Caller): CurrentSession {
  return { session: session ?? null, name, scopes, ecosystems, expires_at };
}

export function sessionRecord(session: StoredSession, token: Grant): SessionRecord {
  const endMs = Math.min(expiresMs(token) ?? Number.POSITIVE_INFINITY, sessionEndMs(session));
  return {
    id: session.id,
    token: token.id,
    token_name: token.name,
    act: session.act,
    created_at: formatTimestamp(session.createdMs),
    used_at: formatTimestamp(session.usedMs),
    expires_at: formatTimestamp(endMs),
  };
}
