import * as z from "zod";
import { AgentUnreachable, askAgent, CommandFailed } from "../../commands/ask-agent.ts";
import type { AgentSettings } from "../../config/settings.ts";
import { type DoctorFinding, ok, unknown } from "./finding.ts";

const ANSWER_MS = 5_000;
const Subscriptions = z.object({
  subscriptions: z.array(z.object({ sink: z.string(), signals: z.array(z.string()), because: z.string() })),
});

/** Which signals the running agent is sent, and why. */
export async function subscriptionFinding({
  stateDir,
  subscribe,
}: Pick<AgentSettings, "stateDir" | "subscribe">): Promise<DoctorFinding> {
  const set = `edge.subscribe is ${subscribe === "auto" ? subscribe : subscribe.join(",")}`;
  try {
    const answer = await askAgent(stateDir, "subscription.status", {}, ANSWER_MS);
    const { subscriptions } = Subscriptions.parse(answer);
    const lines = subscriptions.map(({ sink, signals, because }) => {
      return `${sink}: ${signals.length === 0 ? "nothing" : signals.join(",")} (${because})`;
    });
    return ok("subscriptions", lines.length === 0 ? "nothing on this host reads signals" : lines.join("; "));
  } catch (failure) {
    if (failure instanceof AgentUnreachable) return ok("subscriptions", `${failure.message}; ${set}`);
    if (failure instanceof CommandFailed)
      return unknown("subscriptions", `${set}; the agent does not say more: ${failure.message}`, "restart the agent");
    throw failure;
  }
}
