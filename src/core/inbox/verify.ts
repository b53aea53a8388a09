import { keyOf } from "../webhooks/secret.ts";
import type { Signature } from "./source.ts";

/** A request of a source, as its signature is over it. */
export interface SignedRequest {
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** How far the time of a message may be from now, in seconds. */
const TOLERANCE_S = 300;
/** Signatures of one message that are looked at: while a secret is being replaced, there are two. */
const MAX_SIGNATURES = 8;

const encoder = new TextEncoder();

/**
 * Whether one of the signatures of a message is made with one of the secrets.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#verifying-signatures
 */
export async function isStandardWebhook(
  { headers, body }: SignedRequest,
  secrets: readonly string[],
  nowMs: number,
): Promise<boolean> {
  const [id = "", timestamp = "", list = ""] = ["id", "timestamp", "signature"].map((name) =>
    headers.get(`webhook-${name}`),
  );
  const fresh = /^\d{1,12}$/.test(timestamp) && Math.abs(Number(timestamp) - nowMs / 1_000) <= TOLERANCE_S;
  const head = encoder.encode(`${id}.${timestamp}.`);
  const content = new Uint8Array(head.length + body.length);
  content.set(head);
  content.set(body, head.length);
  const signatures = list
    .split(" ")
    .slice(0, MAX_SIGNATURES)
    .flatMap((entry) => (entry.startsWith("v1,") ? (bytesOfBase64(entry.slice(3)) ?? []) : []));
  const keys = secrets.map(keyOf);
  return (await anyValid(keys, signatures, content)) && fresh && id !== "";
}

/** @see https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries */
export const isGithubWebhook = (request: SignedRequest, secrets: readonly string[]): Promise<boolean> =>
  isHmacWebhook(request, secrets, { header: "x-hub-signature-256", prefix: "sha256=" });

/** Whether a header holds an HMAC-SHA256 of the body, as many services sign. */
export async function isHmacWebhook(
  { headers, body }: SignedRequest,
  secrets: readonly string[],
  { header, prefix = "", encoding = "hex" }: Signature,
): Promise<boolean> {
  const text = headers.get(header.toLowerCase()) ?? "";
  const written = text.startsWith(prefix) ? text.slice(prefix.length) : "";
  const signature = encoding === "hex" ? bytesOfHex(written) : bytesOfBase64(written);
  return anyValid(secrets.map(keyOfText), signature === undefined ? [] : [signature], body);
}

/** Whether a header holds one of the secrets. What is compared is a digest of each, in the same time wherever they differ. */
export async function hasToken(
  { headers }: Pick<SignedRequest, "headers">,
  secrets: readonly string[],
  { header }: Pick<Signature, "header">,
): Promise<boolean> {
  const key = await crypto.subtle.importKey("raw", NOBODYS_KEY, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
    "verify",
  ]);
  const given = encoder.encode(headers.get(header.toLowerCase()) ?? "");
  let valid = false;
  for (const secret of secrets.length === 0 ? [""] : secrets) {
    const digest = await crypto.subtle.sign("HMAC", key, encoder.encode(secret));
    if ((await crypto.subtle.verify("HMAC", key, digest, given)) && secret !== "") valid = true;
  }
  return valid;
}

/** A key that nothing is signed with: where there is no source, or no signature, as much work is done as where there is one. */
const NOBODYS_KEY = new Uint8Array(32);
const NO_SIGNATURE = new Uint8Array(32);

/** The comparison is the runtime's own, which takes the same time wherever two signatures differ. */
async function anyValid(
  keys: readonly (Uint8Array<ArrayBuffer> | undefined)[],
  signatures: readonly Uint8Array<ArrayBuffer>[],
  content: Uint8Array,
): Promise<boolean> {
  const known = keys.filter((key) => key !== undefined);
  let valid = false;
  for (const bytes of known.length === 0 ? [NOBODYS_KEY] : known) {
    const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
    for (const signature of signatures.length === 0 ? [NO_SIGNATURE] : signatures)
      if (await crypto.subtle.verify("HMAC", key, signature, Uint8Array.from(content))) valid = true;
  }
  return valid && known.length > 0 && signatures.length > 0;
}

function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text)) return undefined;
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

function bytesOfHex(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[0-9a-f]{64}$/.test(text)) return undefined;
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

const keyOfText = (secret: string): Uint8Array<ArrayBuffer> | undefined =>
  secret === "" ? undefined : Uint8Array.from(encoder.encode(secret));
