import { keyOf } from "./secret.ts";

export interface Signed {
  readonly id: string;
  /** Seconds since the epoch, of this attempt: receivers refuse what is older than some minutes. */
  readonly timestamp: number;
  readonly body: string;
}

/**
 * Headers that prove where a message comes from.
 *
 * @param secrets - `whsec_…`; while a secret is being replaced both sign, and one that fits is enough
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export async function signatureHeaders(
  { id, timestamp, body }: Signed,
  secrets: readonly string[],
): Promise<Record<string, string>> {
  const content = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  const signatures = await Promise.all(secrets.map((secret) => sign(secret, content)));
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": signatures.join(" "),
  };
}

async function sign(secret: string, content: Uint8Array): Promise<string> {
  const bytes = keyOf(secret);
  if (bytes === undefined) throw new Error("a stored webhook secret is not one"); // never its text
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, content));
  return `v1,${btoa(String.fromCharCode(...mac))}`;
}
