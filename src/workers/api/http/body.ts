import type * as z from "zod";
import { type JsonLimits, limitsAround } from "../../../core/json/limits.ts";
import { readJson as readJsonText } from "../../../core/json/read-json.ts";
import { fieldErrors } from "../../../core/problem/field-errors.ts";
import { problem } from "../../../core/problem/problem.ts";
import { LIMITS } from "../../../core/signals/limits.ts";
import { invalid, Refusal } from "./refusal.ts";
import { BODY_ENCODINGS, type BodyEncoding, bodyEncoding, unpack } from "./unpack.ts";

/**
 * Reads a request's text and stops as soon as the text is too long, compressed or not: a Content-Length may be absent or
 * wrong.
 *
 * @param accepted - media types, without parameters
 * @returns the text, and which of the `accepted` types it has
 */
export async function readBody<Type extends string>(
  request: Request,
  accepted: readonly Type[],
  maxBytes: number = LIMITS.batchBytes,
): Promise<{ text: string; type: Type }> {
  const { bytes, type } = await readBytes(request, accepted, maxBytes);
  return { text: decode(bytes), type };
}

/** {@link readBody}, of a body that may be no text. */
export async function readBytes<Type extends string>(
  request: Request,
  accepted: readonly Type[],
  maxBytes: number,
): Promise<{ bytes: Uint8Array; type: Type }> {
  const type = mediaType(request, accepted);
  return { bytes: await readAnyBytes(request, maxBytes), type };
}

/** The bytes of a body of whatever media type. */
export async function readAnyBytes(request: Request, maxBytes: number = LIMITS.batchBytes): Promise<Uint8Array> {
  const encoding = encodingOf(request);
  const bytes = await readSentBytes(request, maxBytes);
  return encoding === null ? bytes : unpack(bytes, encoding, maxBytes, () => tooLarge(maxBytes));
}

function mediaType<Type extends string>(request: Request, accepted: readonly Type[]): Type {
  const header = request.headers.get("content-type");
  const essence = header?.split(";", 1)[0]?.trim().toLowerCase();
  const type = accepted.find((candidate) => candidate === essence);
  if (type === undefined) {
    throw unsupported(
      `Send Content-Type: ${accepted.join(" or ")}${header === null ? "; the request has none" : ""}.`,
      { Accept: accepted.join(", ") },
    );
  }
  return type;
}

/** The compression of a request's body; null: none. */
function encodingOf(request: Request): BodyEncoding | null {
  const header = request.headers.get("content-encoding");
  const encoding = bodyEncoding(header);
  if (encoding !== undefined) return encoding;
  const detail = `The body has the Content-Encoding "${header}". Send it as ${BODY_ENCODINGS.join(" or ")}, or uncompressed.`;
  throw unsupported(detail, { "Accept-Encoding": BODY_ENCODINGS.join(", ") });
}

const unsupported = (detail: string, headers: Record<string, string>) =>
  new Refusal(problem("unsupported-media-type", 415, "Unsupported media type", detail), headers);

/** The bytes of a request's body, as they were sent. */
export function readSentBytes(request: Request, maxBytes: number = LIMITS.batchBytes): Promise<Uint8Array> {
  if (Number(request.headers.get("content-length")) > maxBytes) throw tooLarge(maxBytes);
  return collect(request, maxBytes);
}

/**
 * Whether HTTP itself ends the body at the length that the headers say, so that the body cannot become longer. A body in
 * chunks ends where its sender likes, whatever length stands beside it.
 */
const saysLength = ({ headers }: Request): boolean =>
  headers.has("content-length") && !headers.has("transfer-encoding");

/** One read in place of three turns and a copy: nearly every call has a small body of a known length. */
async function readWhole(request: Request, maxBytes: number): Promise<Uint8Array> {
  const bytes = await request.arrayBuffer().catch(() => {
    throw brokenBody();
  });
  if (bytes.byteLength > maxBytes) throw tooLarge(maxBytes);
  return new Uint8Array(bytes);
}

async function collect(request: Request, maxBytes: number): Promise<Uint8Array> {
  if (saysLength(request)) return readWhole(request, maxBytes);
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw brokenBody();
    });
    if (done) break;
    bytes += value.byteLength;
    if (bytes > maxBytes) {
      await reader.cancel().catch(() => undefined); // the answer is the same if the sender has gone
      throw tooLarge(maxBytes);
    }
    chunks.push(value);
  }
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(bytes);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}

const brokenBody = () => new Refusal(problem("broken-body", 400, "The body ended early"));

const tooLarge = (maxBytes: number) =>
  new Refusal(
    problem("too-large", 413, "The body is too large", `A request may take ${maxBytes} bytes: split it.`, {
      max_bytes: maxBytes,
    }),
  );

const newDecoder = () => new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
let decoder = newDecoder();

/** @throws Refusal where the bytes are no UTF-8 */
export function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    decoder = newDecoder(); // not every decoder is as new after a text that it refused
    throw malformed("the text is not UTF-8");
  }
}

/** How a refusal of a body is named. */
interface Naming {
  /** Kind of the problem. */
  readonly kind: string;
  readonly title: string;
}

const ANY_BODY: Naming = { kind: "invalid-body", title: "The request is not valid" };

/** Reads a body that must be JSON. */
export async function readJson(request: Request, naming: Naming = ANY_BODY): Promise<unknown> {
  return parseJson((await readBody(request, ["application/json"])).text, naming);
}

/** Reads a body that is one document of `schema`. */
export async function readDocument<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
  kind: string,
  title = "The request is not valid",
): Promise<z.output<Schema>> {
  const parsed = schema.safeParse(await readJson(request, { kind, title }));
  if (!parsed.success) throw invalid(kind, title, fieldErrors(parsed.error.issues, "", schema));
  return parsed.data;
}

export function parseJson(text: string, { kind, title }: Naming, limits = limitsOf(text)): unknown {
  const reading = readJsonText(text, limits);
  if (reading.ok) return reading.value;
  throw reading.malformed === undefined ? invalid(kind, title, reading.errors) : malformed(reading.malformed);
}

/** A body is one item or a list of them; what an item may hold is the same in both. */
function limitsOf(text: string): JsonLimits {
  return /^\s*\[/.test(text) ? LIST : ITEM;
}

const ITEM = limitsAround(1);
const LIST = limitsAround(2);

/** `detail` names a position and the token expected there. It never quotes the body, which may hold secrets. */
export const malformed = (detail: string) =>
  new Refusal(problem("malformed-json", 400, "The body is not JSON", detail));
