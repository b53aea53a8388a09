import * as z from "zod";
import { Attention } from "../../../../core/attention/api.ts";
import { Gap } from "../../../../core/introspection/api.ts";
import { Overview } from "../../../../core/overview/api.ts";
import { defineTool, READS } from "../tool.ts";

const attention = defineTool({
  name: "what_needs_attention",
  title: "What needs attention",
  description:
    "What needs somebody now, most urgent first: one row for each cause, with what is wrong, what follows from it, and the " +
    "next step. Look here before you begin anything, and after you repaired something.",
  operations: ["getAttention"],
  scopes: ["signals:read"],
  annotations: READS,
  args: z.strictObject({}),
  answer: Attention,
  run: (_args, edge) => edge({ method: "GET", path: "/attention" }),
});

const DEFAULT_HOSTS = 20;
const { fleet, queues, gaps, log, dead_letters, breakers } = Overview.shape;
const FleetStatus = z.object({
  ecosystem: z.string(),
  at: Overview.shape.at,
  fleet,
  queues,
  gaps: gaps.omit({ items: true, left_out: true }),
  dead_letters,
  breakers,
  log,
});

const fleetStatus = defineTool({
  name: "fleet_status",
  title: "Status of the fleet",
  description:
    "Hosts with the agents that they run and what each is doing, queues with what waits and runs, counts of gaps and dead " +
    "letters, open breakers and the log. Hosts that are down come first; those beyond `limit` are counted.",
  operations: ["getOverview"],
  scopes: ["signals:read"],
  annotations: READS,
  args: z.strictObject({
    limit: z
      .int()
      .min(0)
      .max(200)
      .default(DEFAULT_HOSTS)
      .meta({ description: `Most hosts that are written out; default ${DEFAULT_HOSTS}` }),
  }),
  answer: FleetStatus,
  run: async ({ limit }, edge) => {
    const { content } = await edge({ method: "GET", path: "/overview" });
    const overview = Overview.parse(content);
    const { hosts, left_out, ...counts } = overview.fleet;
    const shown = hosts.slice(0, limit);
    return {
      content: {
        ecosystem: overview.ecosystem,
        at: overview.at,
        fleet: { hosts: shown, ...counts, left_out: left_out + hosts.length - shown.length },
        queues: overview.queues,
        gaps: { open: overview.gaps.open },
        dead_letters: overview.dead_letters,
        breakers: overview.breakers,
        log: overview.log,
      },
    };
  },
});

const listGaps = defineTool({
  name: "list_gaps",
  title: "List gaps",
  description: "Capabilities that the fleet lacks, as scanners found them in what was measured, with their evidence.",
  operations: ["listGaps"],
  scopes: ["signals:read"],
  annotations: READS,
  args: z.strictObject({
    status: z.enum(["open", "resolved", "all"]).optional().meta({ description: "Which gaps; default open" }),
    name: z.string().optional().meta({ description: "Only gaps of this name" }),
  }),
  answer: z.object({ gaps: z.array(Gap) }),
  run: ({ status, name }, edge) => edge({ method: "GET", path: "/gaps", query: { status, name } }),
});

/** Tools that look at the state of an ecosystem. */
export const stateTools = [attention, fleetStatus, listGaps];
