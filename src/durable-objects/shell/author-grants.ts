import { ADMINISTRATOR } from "../../core/access/administrator.ts";
import type { Grant } from "../../core/access/grant.ts";
import { ExpiringMap } from "../../core/collections/expiring-map.ts";
import type { PlacementVariables } from "../../core/deployment/placement.ts";
import { type Namespace, objectNamed } from "./ports.ts";

/** Binding to the directory of tokens. */
export interface GrantBindings extends PlacementVariables {
  readonly DIRECTORY: Namespace<{ grantOf(id: string): Promise<Grant | null> }>;
}

/**
 * The directory is one object for the whole deployment, so its answer is trusted for as long as the API trusts it: a
 * deleted token may go on working for this long, in milliseconds.
 */
const REMEMBER_MS = 30_000;
const REMEMBERED = 256;

/** What the tokens of authors may do at present. */
export class AuthorGrants {
  readonly #env: GrantBindings;
  readonly #remembered = new ExpiringMap<{ readonly grant: Grant | null }>(REMEMBERED, REMEMBER_MS);

  constructor(env: GrantBindings) {
    this.#env = env;
  }

  /** @param id - of a token; `undefined`: not known @returns `null`: no such token */
  async of(id: string | undefined): Promise<Grant | null> {
    if (id === undefined) return null;
    if (id === ADMINISTRATOR.id) return ADMINISTRATOR;
    const nowMs = Date.now();
    const known = this.#remembered.get(id, nowMs);
    if (known !== undefined) return known.grant;
    const grant = await objectNamed(this.#env.DIRECTORY, "directory", this.#env).grantOf(id);
    this.#remembered.set(id, { grant }, nowMs);
    return grant;
  }
}
