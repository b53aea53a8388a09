import * as z from "zod";
import { CommandRefused } from "../feature/command.ts";
import type { Registrar } from "../feature/registrar.ts";
import type { Reactions } from "./reactions.ts";

/** What was given up, by the names in its dead letter. */
const Replay = z.union(
  [
    z.object({ reaction: z.string(), signal_id: z.string() }),
    // A whole dead letter, as the edge sends it.
    z
      .object({ reaction: z.object({ name: z.string(), signal_id: z.string() }) })
      .transform(({ reaction }) => ({ reaction: reaction.name, signal_id: reaction.signal_id })),
  ],
  "give {reaction: <name>, signal_id: <id>}",
);

/**
 * The commands of reactions: `reaction.status` answers `{reactions: [{name, waiting, running, dead}]}`;
 * `reaction.replay` with `{reaction, signal_id}` runs one again that was given up, and answers `{outcome}`: `replayed`,
 * or `already` for one that is done or about to be.
 */
export function registerReactionCommands(register: Pick<Registrar, "command">, reactions: Reactions): void {
  register.command("reaction.status", () => ({ reactions: reactions.states() }));
  register.command("reaction.replay", async (payload) => {
    const parsed = Replay.safeParse(payload);
    if (!parsed.success) throw new CommandRefused(z.prettifyError(parsed.error));
    const { reaction, signal_id } = parsed.data;
    const outcome = await reactions.replay(reaction, signal_id);
    if (outcome === "no_reaction") throw new CommandRefused(`this host has no reaction to signals named ${reaction}`);
    if (outcome === "unknown") throw new CommandRefused(`the reaction ${reaction} knows nothing of ${signal_id}`);
    return { outcome };
  });
}
