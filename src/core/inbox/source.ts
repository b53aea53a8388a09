import * as z from "zod";
import { LIMITS } from "../signals/limits.ts";
import { isOwnSignal } from "../signals/reserved.ts";
import { SignalName } from "../signals/signal.ts";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { keyOf, SECRET_RULE } from "../webhooks/secret.ts";

/** Maximum number of sources of an ecosystem. */
export const MAX_SOURCES = 100;

export const SOURCE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
export const SOURCE_RULE =
  "the name of a source starts with a letter or digit and holds letters, digits and . _ - (63 at most)";

const Expression = z.string().min(1).max(4_096);

/** How a request becomes a signal. Each value is an expression in CEL over the request. */
const RequestMap = z.strictObject({
  where: Expression.optional().meta({
    description: "Requests for which it is false are acknowledged, and nothing is stored; absent: all are taken",
  }),
  signal: Expression.optional().meta({ description: "The name of the signal, where it depends on the request" }),
  facts: z
    .record(z.string().min(1).max(256), Expression)
    .optional()
    .meta({ description: "The facts of the signal; absent: the whole body" }),
  id: Expression.optional().meta({
    description: "The id by which a repeated request is known; absent: the id of the delivery",
  }),
  cause: Expression.optional().meta({ description: "Id of the signal that led to this one" }),
  timestamp: Expression.optional().meta({ description: "Time of the event; absent: when the log receives it" }),
});
export type RequestMap = Readonly<z.infer<typeof RequestMap>>;

const FreeSecret = z
  .string()
  .regex(/^[\x21-\x7e]{16,128}$/, {
    message: "give 16 to 128 characters, or leave the secret out to have one generated",
  })
  .optional();
const SignatureHeader = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,64}$/, {
    message: "the name of a header holds letters, digits and - (64 characters at most)",
  })
  .meta({ description: "Name of the header that holds the signature or the token" });
const Prefix = z.string().max(16).meta({ description: "What stands before the signature, such as sha256=" });
const Encoding = z.enum(["hex", "base64"]).meta({ description: "How the signature is written; default hex" });

/**
 * How a source proves who it is. `standard-webhooks`: as https://www.standardwebhooks.com specify; `github`: as the webhooks
 * of GitHub do; `hmac`: by HMAC-SHA256 over the body, in a header; `token`: by its secret itself, in a header; `none`: by
 * nothing of its own, so that a request needs a token of the edge.
 */
const Verification = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("standard-webhooks").meta({ description: "Signed as Standard Webhooks" }),
    secret: z
      .string()
      .refine((secret) => keyOf(secret) !== undefined, { message: SECRET_RULE })
      .optional(),
  }),
  z.strictObject({
    kind: z.literal("github").meta({ description: "Signed as webhooks of GitHub" }),
    secret: FreeSecret,
  }),
  z.strictObject({
    kind: z.literal("hmac").meta({ description: "Signed by HMAC-SHA256 over the body" }),
    header: SignatureHeader,
    prefix: Prefix.optional(),
    encoding: Encoding.optional(),
    secret: FreeSecret,
  }),
  z.strictObject({
    kind: z.literal("token").meta({ description: "Not signed: the secret itself is in a header" }),
    header: SignatureHeader,
    secret: FreeSecret,
  }),
  z.strictObject({ kind: z.literal("none").meta({ description: "Not signed: a request needs a token" }) }),
]);

/** A source as an administrator sets it. */
export const InboxSourceInput = z.strictObject({
  verify: Verification.meta({ description: "How a request proves that it is the source's" }),
  /** The name of the signal that a request becomes. */
  signal: SignalName.refine((name) => !isOwnSignal(name), {
    message: "the edge alone emits this signal: choose another name",
  }),
  /** The source of the signal. Default: `inbox/` and the name of the source. */
  source: z
    .string()
    .min(1)
    .max(LIMITS.identifierLength)
    .refine((source) => !/^ganglion(\/|$)/.test(source), {
      message: "sources that begin with ganglion/ belong to the edge: name your own",
    })
    .optional(),
  map: RequestMap.optional().meta({ description: "How a request becomes a signal, by expressions in CEL" }),
  description: z.string().max(500).nullable().optional(),
});
export type InboxSourceInput = Readonly<z.infer<typeof InboxSourceInput>>;

const Kind = z.enum(["standard-webhooks", "github", "hmac", "token", "none"]);

/** Where the signature of a request stands, and how it is written. */
const Signature = z.object({ header: SignatureHeader, prefix: Prefix.optional(), encoding: Encoding.optional() });
export type Signature = Readonly<z.infer<typeof Signature>>;

/** A source as people see it, without its secret. */
export const InboxSource = z.object({
  name: z.string().meta({ description: "Name of the source, the last part of the path to which it sends" }),
  path: z.string().meta({ description: "Path to which it sends" }),
  verify: z
    .object({
      kind: Kind.meta({ description: "The kind of its signature; none: a request needs a token" }),
      header: SignatureHeader.optional(),
      old_secret_until: Timestamp.optional().meta({ description: "Until this time the previous secret is good, too" }),
    })
    .meta({ description: "How a request proves that it is the source's" }),
  signal: SignalName,
  source: z.string().meta({ description: "Source of the signals" }),
  map: RequestMap.optional().meta({ description: "How a request becomes a signal, by expressions in CEL" }),
  description: z.string().nullable(),
  created_at: Timestamp,
});
export type InboxSource = Readonly<z.infer<typeof InboxSource>>;
export const InboxSources = z.object({ sources: z.array(InboxSource).meta({ description: "Sources by name" }) });

export const InboxSourceWithSecret = InboxSource.extend({
  secret: z.string().optional().meta({
    description: "Only in the answer to the call that made the secret; it is not shown again",
  }),
});
export type InboxSourceWithSecret = Readonly<z.infer<typeof InboxSourceWithSecret>>;

/** A source as it is stored. */
export const StoredSource = InboxSourceInput.omit({ verify: true }).extend({
  kind: Kind,
  signature: Signature.optional(),
});
export type StoredSource = Readonly<z.infer<typeof StoredSource>>;

/** What the door must know of a source. It passes between the objects of the edge alone. */
export interface SourceAtDoor extends StoredSource {
  readonly name: string;
  /** The secrets that are good now. */
  readonly secrets: readonly string[];
}
