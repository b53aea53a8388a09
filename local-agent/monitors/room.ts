import { isListening } from "../bus/endpoint.ts";
import type { Room, RoomContext } from "../room.ts";
import { LANES } from "../spool.ts";
import { EdgeWatch } from "./edge-watch.ts";
import { HealthMonitor } from "./health.ts";
import { InvestigationsMonitor } from "./investigations.ts";
import type { Monitor } from "./monitor.ts";
import { Monitors } from "./monitors.ts";
import { PromotionsMonitor } from "./promotions.ts";
import { MonitorsSettings } from "./settings.ts";

/** What the edge may ask this host, and what this host notices about the edge (R22). */
export const MONITORS_ROOM: Room = {
  name: "monitors",
  assemble(context) {
    const { options, link, offers, status, now, log } = context;
    const settings = options.monitors ?? MonitorsSettings.parse({});
    const monitors = new Monitors({
      monitors: monitorsOf(settings, context),
      limitMs: settings.limit_seconds * 1_000,
      log,
    });
    link.answerGathers(async (wanted, after) => {
      const facts = await monitors.gather(wanted, after);
      if (!wanted.includes("status")) return facts;
      const { link: _, ...runs } = status();
      return { ...facts, status: runs };
    });
    const watch = new EdgeWatch({
      ...{ link, silentMs: settings.edge_silent_seconds * 1_000, now, log },
      announce: (signal, facts) => offers.publishLocally?.(signal, { ...facts, host: options.hostId }),
    });
    return { services: [watch], status: () => ({ names: monitors.names, edge_silent_since: watch.silentSince }) };
  },
};

function monitorsOf(settings: MonitorsSettings, { options, offers, spool, now }: RoomContext): Monitor[] {
  const { promotions_directory: directory, last_dream: lastDream, investigation_log: path } = settings;
  const monitors: Monitor[] = [];
  if (directory !== undefined) monitors.push(new PromotionsMonitor({ directory, lastDream, now }));
  if (path !== undefined) monitors.push(new InvestigationsMonitor({ path, prefix: settings.hypothesis_prefix }));
  if (settings.health) {
    const { xsub, xpub } = options;
    const bytes = () => LANES.reduce((sum, lane) => sum + spool.depth(lane).bytes, 0);
    monitors.push(
      new HealthMonitor({
        disks: settings.disks ?? [options.stateDir],
        gpu: () => offers.gpuReadings?.() ?? [],
        ...(options.sources.includes("bus") && {
          busListens: async () => (await Promise.all([isListening(xsub), isListening(xpub)])).every(Boolean),
        }),
        spool: () => ({ bytes: bytes(), maxBytes: options.spoolMaxBytes }),
      }),
    );
  }
  return monitors;
}
