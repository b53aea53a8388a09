import { computed, effect, signal } from "@preact/signals";
import { sessionCalls } from "../../src/client/access.ts";
import type { Scope } from "../../src/core/access/scopes.ts";
import type { CurrentSession } from "../../src/core/access/session.ts";
import { allows } from "./allows.ts";
import { callEdge, connection } from "./edge.ts";

/** Who looks, and what that session may do; `undefined`: not known yet. */
export const session = signal<CurrentSession | undefined>(undefined);

/** Whether the session only reads; also while that is not known. */
export const readsOnly = computed(() => session.value?.session?.act === false);

/** Whether the session may change things, as far as its token may. */
export const mayAct = computed(() => session.value !== undefined && !readsOnly.value);

/** Whether the token of the session has a scope. The edge decides; this only spares buttons that it would refuse. */
export const may = (scope: Scope): boolean => session.value !== undefined && allows(session.value.scopes, scope);

/** Asks who looks, again when an edge that was away answers. */
export function startSession(): void {
  let asking = false;
  const ask = async () => {
    asking = true;
    try {
      session.value = await sessionCalls({ call: callEdge }).current();
    } catch {
      // The connection state of the page says why: signed out, or no edge.
    } finally {
      asking = false;
    }
  };
  void ask();
  effect(() => {
    if (connection.value === "online" && session.peek() === undefined && !asking) void ask();
  });
}
