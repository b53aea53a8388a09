import {
  fromBase64Url,
  type LinkTarget,
  linkPayload,
  readLink,
  signedText,
  toBase64Url,
} from "../../core/questions/link.ts";
import type { QuestionState } from "../../core/questions/state.ts";
import type { QuestionStore } from "./question-store.ts";

const SECRET_BYTES = 32;
const HMAC = { name: "HMAC", hash: "SHA-256" } as const;

/**
 * Signs links to questions, and verifies them. The secret is made with the first link, stays in the object, and is in no
 * export: links of an ecosystem hold in the place that has made them.
 */
export class Links {
  readonly #store: QuestionStore;
  readonly #ecosystem: string;
  #key: Promise<CryptoKey> | undefined;

  constructor(store: QuestionStore, ecosystem: string) {
    this.#store = store;
    this.#ecosystem = ecosystem;
  }

  async sign(target: LinkTarget, question: QuestionState): Promise<string> {
    const payload = linkPayload(target);
    const text = this.#text(payload, question);
    const mac = await crypto.subtle.sign(HMAC.name, await this.#secret(true), text);
    return `${payload}.${toBase64Url(new Uint8Array(mac))}`;
  }

  /** @returns the question and its link's target; `undefined`: the link is not one of ours, for this question as it is */
  async verify(link: string): Promise<LinkTarget | undefined> {
    const read = readLink(link);
    if (read === undefined) return undefined;
    const { target, payload, signature } = read;
    const question = this.#store.read(target.question)?.state;
    if (question === undefined || this.#store.linkSecret === undefined) return undefined;
    const text = this.#text(payload, question);
    return (await crypto.subtle.verify(HMAC.name, await this.#secret(false), signature, text)) ? target : undefined;
  }

  #text(payload: string, question: QuestionState): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(new TextEncoder().encode(signedText(this.#ecosystem, payload, question)));
  }

  #secret(make: boolean): Promise<CryptoKey> {
    // Written before anything that it signs leaves: the runtime holds back what an object sends until its writes are done.
    if (make && this.#store.linkSecret === undefined)
      this.#store.linkSecret = toBase64Url(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
    this.#key ??= this.#import();
    return this.#key;
  }

  async #import(): Promise<CryptoKey> {
    const bytes = fromBase64Url(this.#store.linkSecret ?? "");
    // Without its text: errors are logged.
    if (bytes === undefined || bytes.length !== SECRET_BYTES)
      throw new Error("the stored secret of links is not valid");
    return crypto.subtle.importKey("raw", bytes, HMAC, false, ["sign", "verify"]);
  }
}
