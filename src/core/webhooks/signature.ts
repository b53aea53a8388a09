import { keyOf } from "./secret.ts";

export interface SignedMessage {
  readonly id: string;
  /** Time of this attempt, in seconds since the epoch: receivers refuse messages older than some minutes. */
  readonly timestamp: number;
  readonly body: string;
}

/**
 * Makes the headers that prove where a message comes from.
 *
 * @param secrets - `whsec_…`; while a secret is being replaced both sign, and one valid signature is enough
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export async function signatureHeaders(
  { id, timestamp, body }: SignedMessage,
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
  if (bytes === undefined) throw new Error("a stored webhook secret is not valid"); // without its text: errors are logged
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, content));
  return `v1,${btoa(String.fromCharCode(...mac))}`;
}
