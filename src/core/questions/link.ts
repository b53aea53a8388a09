import type { QuestionState } from "./state.ts";

/**
 * Links by which somebody answers without a token: `<payload>.<signature>`, both in base64url. The payload names the
 * question, the endpoint that the link went to and which of its messages carried it. The signature covers that and all that
 * the reader decides by: the question, its options, its recipient and its expiry. One of another ecosystem, or of a question
 * that is not the same any more, is no signature.
 */
export interface LinkTarget {
  readonly question: string;
  /** Endpoint of the webhooks whose message carries the link: it stands for who answers by it. */
  readonly endpoint: string;
  /** Which message of the question it was, such as `asked`, `reminded-2`. */
  readonly message: string;
}

const MAX_LINK_CHARS = 1_024;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

export const linkPayload = ({ question, endpoint, message }: LinkTarget): string =>
  toBase64Url(new TextEncoder().encode(JSON.stringify([question, endpoint, message])));

/** @returns `undefined`: it is none of ours, whatever its signature */
export function readLink(
  link: string,
): { readonly target: LinkTarget; readonly payload: string; readonly signature: Uint8Array<ArrayBuffer> } | undefined {
  const [payload = "", mac = "", ...rest] = link.length > MAX_LINK_CHARS ? [] : link.split(".");
  if (rest.length > 0 || !BASE64URL.test(payload) || !BASE64URL.test(mac)) return undefined;
  const [bytes, signature] = [fromBase64Url(payload), fromBase64Url(mac)];
  if (bytes === undefined || signature === undefined) return undefined;
  const target = targetOf(new TextDecoder().decode(bytes));
  return target === undefined ? undefined : { target, payload, signature };
}

/** What a signature of a link is made over. */
export const signedText = (ecosystem: string, payload: string, question: QuestionState): string =>
  JSON.stringify([
    "ganglion.answer-link.v1",
    ecosystem,
    payload,
    question.question,
    question.options,
    question.recipient,
    question.expiresMs,
    question.askedMs,
  ]);

function targetOf(text: string): LinkTarget | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined; // made up
  }
  if (!Array.isArray(read)) return undefined;
  const [question, endpoint, message] = read as unknown[];
  if (typeof question !== "string" || typeof endpoint !== "string" || typeof message !== "string") return undefined;
  return { question, endpoint, message };
}

export function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  } catch {
    return undefined; // not base64
  }
}
