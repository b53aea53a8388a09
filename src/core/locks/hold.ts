import * as z from "zod";
import { LockName, lockNameProblem } from "./lock-name.ts";

export const LOCK_MODES = ["exclusive", "shared"] as const;
export type LockMode = (typeof LOCK_MODES)[number];

/** A supervised process, and which of its runs: one that was started anew is another. */
export const BoundProcess = z.object({ host: z.string(), process: z.string(), run: z.string() });
export type BoundProcess = Readonly<z.infer<typeof BoundProcess>>;

/** What is asked for. Owners of two tokens are two, whatever they call themselves. */
export interface LockRequest {
  readonly name: LockName;
  readonly mode: LockMode;
  readonly owner: string;
  readonly token: string;
  readonly ttlMs: number;
  readonly task: string | null;
  readonly process: BoundProcess | null;
}

/** A lock that is held. */
export interface Hold extends LockRequest {
  readonly fence: number;
  readonly acquiredMs: number;
  ttlMs: number;
  expiresMs: number;
}

/** A request that waits. */
export interface Waiter {
  readonly id: string;
  readonly request: LockRequest;
  /** Place in the order: the lower comes first. */
  readonly ticket: number;
  readonly sinceMs: number;
}

const StoredHold = z.object({
  name: z.string().refine((name) => lockNameProblem(name) === undefined),
  mode: z.enum(LOCK_MODES),
  owner: z.string(),
  token: z.string(),
  ttlMs: z.number(),
  task: z.string().nullable(),
  process: BoundProcess.nullable(),
  acquiredMs: z.number(),
  expiresMs: z.number(),
});

export const writeHold = ({ name, fence: _, ...rest }: Hold): string => JSON.stringify({ name: name.text, ...rest });

/** @throws ZodError or SyntaxError where the text is none that {@link writeHold} has written */
export function readHold(fence: number, text: string): Hold {
  const { name, ...rest } = StoredHold.parse(JSON.parse(text));
  return { ...rest, name: new LockName(name), fence };
}

type Asked = Pick<LockRequest, "name" | "mode" | "owner" | "token">;

export const sameOwner = (one: Pick<Asked, "owner" | "token">, other: Pick<Asked, "owner" | "token">): boolean =>
  one.owner === other.owner && one.token === other.token;

/** Whether two cannot be held at once. An owner does not stand in its own way. */
export const conflicts = (one: Asked, other: Asked): boolean =>
  (one.mode === "exclusive" || other.mode === "exclusive") && !sameOwner(one, other) && one.name.overlaps(other.name);

export const ownerKey = ({ owner, token }: Pick<Asked, "owner" | "token">): string => `${token}\n${owner}`;

/** Of one lock of one owner. */
export const lockKey = (one: Pick<Asked, "name" | "owner" | "token">): string => `${ownerKey(one)}\n${one.name.text}`;
