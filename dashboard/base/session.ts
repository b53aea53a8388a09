import { signal } from "@preact/signals";
import { sessionCalls } from "../../src/client/access.ts";
import type { CurrentSession } from "../../src/core/access/session.ts";
import { callEdge } from "./edge.ts";

/** Who looks, and what that session may do; `undefined`: not known yet. */
export const session = signal<CurrentSession | undefined>(undefined);

export async function loadSession(): Promise<void> {
  try {
    session.value = await sessionCalls({ call: callEdge }).current();
  } catch {
    // The connection state of the page says why: signed out, or no edge.
  }
}
