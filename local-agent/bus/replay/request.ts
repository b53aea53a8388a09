import { isUtf8 } from "node:buffer";
import * as z from "zod";
import { fieldErrors } from "../../../src/core/problem/field-errors.ts";
import { LIMITS } from "../../../src/core/signals/limits.ts";

/** A request takes a line; a longer frame is none. */
const MAX_REQUEST_BYTES = 8_192;
const MAX_MINUTES = 24 * 60;
const MAX_TOPICS = 32;

const Form = z
  .enum(["two-frames", "one-frame", "two_frames", "one_frame"], "give two-frames or one-frame")
  .transform((form) => (form.startsWith("two") ? ("two_frames" as const) : ("one_frame" as const)));

/** What a subscriber that comes late asks for. */
const ReplayRequest = z.strictObject({
  minutes: z
    .number("give a number of minutes")
    .gt(0, "give more than 0 minutes")
    .max(MAX_MINUTES, `give ${MAX_MINUTES} minutes at most`),
  /** Prefixes of names, as a subscription has them; none: everything. */
  topics: z
    .array(z.string("give texts").max(LIMITS.identifierLength))
    .max(MAX_TOPICS, `give ${MAX_TOPICS} topics at most`)
    .default([]),
  /** Default: the form of the bus. */
  form: Form.optional(),
});
export type ReplayRequest = Readonly<z.output<typeof ReplayRequest>>;

/** A message of a client at the ROUTER socket. */
export interface Asked {
  /** The client's identity, the first frame. */
  readonly client: string;
  /** Frames before each reply: the identity, and for a REQ what it put before its request. */
  readonly envelope: readonly Buffer[];
  /** The client reads one reply: a REQ. A DEALER may read several. */
  readonly isReq: boolean;
  readonly request: ReplayRequest | undefined;
  /** Why there is no request. */
  readonly refusal?: string;
}

/** Reads `[identity, request]` of a DEALER, or `[identity, …, empty, request]` of a REQ. */
export function readAsked(frames: readonly Buffer[]): Asked {
  const [identity = Buffer.alloc(0), ...rest] = frames;
  const delimiter = rest.findIndex(({ length }) => length === 0);
  const isReq = delimiter >= 0;
  const envelope = isReq ? [identity, ...rest.slice(0, delimiter + 1)] : [identity];
  const body = rest.slice(delimiter + 1);
  const given = { client: identity.toString("hex"), envelope, isReq };
  const read =
    body.length === 1 && body[0] !== undefined
      ? readRequest(body[0])
      : `the request has ${body.length} frames: send one`;
  return typeof read === "string" ? { ...given, request: undefined, refusal: read } : { ...given, request: read };
}

function readRequest(body: Buffer): ReplayRequest | string {
  if (body.length > MAX_REQUEST_BYTES) return `the request has ${body.length} bytes: ${MAX_REQUEST_BYTES} are allowed`;
  let value: unknown;
  try {
    value = isUtf8(body) ? JSON.parse(body.toString("utf8")) : undefined;
  } catch {
    value = undefined;
  }
  if (value === undefined) return 'the request is not JSON: send {"minutes": 10, "topics": ["Q_"]}';
  const read = ReplayRequest.safeParse(value);
  if (read.success) return read.data;
  return fieldErrors(read.error.issues, "", ReplayRequest)
    .map(({ pointer, message }) => (pointer === "" ? message : `${pointer}: ${message}`))
    .join("; ");
}
