import { signal } from "@preact/signals";
import { EcosystemList } from "../../src/core/ecosystems/document.ts";
import { callEdge } from "./edge.ts";

/** Names of the ecosystems that this session may see. */
export const ecosystems = signal<readonly string[]>([]);

/** Asked for once: a new one appears when the page is loaded again. */
export async function loadEcosystems(): Promise<void> {
  try {
    const { ecosystems: list } = await callEdge(EcosystemList, { path: "/v1/ecosystems" });
    ecosystems.value = list.map(({ name }) => name).sort();
  } catch {
    // A session of one ecosystem may not list them, and an edge that does not answer is shown elsewhere: the switcher then
    // has the present one alone.
  }
}
