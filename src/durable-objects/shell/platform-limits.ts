/**
 * Limits of Cloudflare's platform that the embedded runtime does not have. Tests set the binding `PLATFORM_LIMITS`, by
 * which each object works on storage, sockets and connections that refuse what the real edge would refuse.
 *
 * @see https://developers.cloudflare.com/durable-objects/platform/limits/
 */
export const PLATFORM = {
  /** A text, a blob or a row. */
  rowBytes: 2_000_000,
  statementBytes: 100_000,
  parameters: 100,
  attachmentBytes: 16_384,
  /** Less than the 32 MiB of today: it was 1 MiB for long, and a larger message would be held in memory whole. */
  messageBytes: 1024 * 1024,
  /** Connections of an object that wait for the headers of their response. The next one waits for one of them. */
  connections: 6,
} as const;

/** Whether the limits are in force in this deployment; see {@link PLATFORM}. */
export function isLimited(env: unknown): boolean {
  return typeof env === "object" && env !== null && "PLATFORM_LIMITS" in env && env.PLATFORM_LIMITS === "true";
}

export function bytesOf(value: unknown): number {
  if (typeof value === "string")
    return value.length * 3 < 65_536 ? value.length : new TextEncoder().encode(value).length;
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return value.byteLength;
  return 8;
}
