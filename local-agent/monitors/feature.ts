import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { EDGE_COMMAND } from "../../src/core/hosts/edge-parts.ts";
import type { VitalsLimits } from "../../src/core/hosts/edge-vitals.ts";
import { isListening } from "../base/endpoint.ts";
import type { Feature, FeatureContext } from "../feature/feature.ts";
import { LANES } from "../store/spool.ts";
import { CapabilitiesMonitor } from "./capabilities.ts";
import { EdgeNotices, type NoticeChannels } from "./edge-notices.ts";
import { EdgeWatch } from "./edge-watch.ts";
import { HealthMonitor } from "./health.ts";
import { InvestigationsMonitor } from "./investigations.ts";
import type { Monitor } from "./monitor.ts";
import { MonitorRunner } from "./monitor-runner.ts";
import { PromotionsMonitor } from "./promotions.ts";
import { type MonitorsFeatureOptions, MonitorsSettings } from "./settings.ts";

/** Answers the edge's questions about this host, and notices when the edge is away for long. */
export const MONITORS_FEATURE: Feature<MonitorsFeatureOptions> = {
  name: "monitors",
  reloadOn: ["monitors", "sources", "xsub", "xpub"],
  assemble(context) {
    const { options, register, link, provided, status, now, log } = context;
    const settings = settingsOf(options);
    let at = { settings, monitors: monitorsOf(options, context) };
    const monitors = new MonitorRunner({
      monitors: [...at.monitors.values()],
      limitMs: settings.limit_seconds * 1_000,
      log,
    });
    let channels = channelsOf(options);
    const { hostId: host, ecosystem, stateDir } = options;
    const path = join(stateDir, "edge-watch.json");
    const watch = new EdgeWatch({
      link,
      limits: limitsOf(settings),
      notices: new EdgeNotices({ path, host, ecosystem, channels: () => channels, log }),
      now,
      log,
      announce: (signal, facts) => provided.publishLocally?.(signal, { ...facts, host: options.hostId }),
    });
    register.provide("gatherFacts", async (wanted, after, round) => {
      watch.asked(round);
      const facts = await monitors.gather(wanted, after);
      if (!wanted.includes("status")) return facts;
      const { link: _, ...runs } = status();
      return { ...facts, status: runs };
    });
    const reload = (next: MonitorsFeatureOptions) => {
      const settings = settingsOf(next);
      const made = monitorsOf(next, context);
      // A monitor whose settings did not change is kept: it must not report old findings as new.
      for (const [name, old] of at.monitors)
        if (made.has(name) && isDeepStrictEqual(lookOf(name, at.settings), lookOf(name, settings))) made.set(name, old);
      at = { settings, monitors: made };
      monitors.configure({ monitors: [...made.values()], limitMs: settings.limit_seconds * 1_000 });
      channels = channelsOf(next);
      watch.setLimits(limitsOf(settings));
    };
    register.command(EDGE_COMMAND, () => ({ parts: watch.parts }));
    register.status(() => ({ names: monitors.names, edge_silent_since: watch.silentSince, edge: watch.parts }));
    return { services: [watch], reload };
  },
};

/** Of the edge's parts, how long they may be silent. */
function limitsOf({ edge_silent_seconds, edge_watch }: MonitorsSettings): VitalsLimits {
  const { cron_periods: cronPeriods, queue_silent_seconds } = edge_watch;
  return { edgeMs: edge_silent_seconds * 1_000, cronPeriods, queueMs: queue_silent_seconds * 1_000 };
}

function channelsOf(options: Pick<MonitorsFeatureOptions, "monitors" | "configFile">): NoticeChannels {
  const { command, url } = settingsOf(options).edge_watch;
  const { configFile } = options;
  return { command, url, cwd: configFile === undefined ? undefined : dirname(configFile) };
}

function settingsOf({ monitors }: Pick<MonitorsFeatureOptions, "monitors">): MonitorsSettings {
  return monitors ?? MonitorsSettings.parse({});
}

/** Where a monitor that remembers looks; the one of health remembers nothing. */
function lookOf(
  name: string,
  { promotions_directory, promotions_files, last_dream, investigation_log, ...more }: MonitorsSettings,
): unknown {
  if (name === "promotions") return { promotions_directory, promotions_files, last_dream };
  if (name === "capabilities") return { path: more.capabilities, key: more.capabilities_key };
  if (name === "investigations") return { investigation_log, prefix: more.hypothesis_prefix };
  return Symbol(name);
}

function monitorsOf(
  options: MonitorsFeatureOptions,
  { provided, spool, now }: FeatureContext<MonitorsFeatureOptions>,
): Map<string, Monitor> {
  const settings = settingsOf(options);
  const {
    promotions_directory: directory,
    last_dream: lastDream,
    investigation_log: path,
    promotions_files,
  } = settings;
  const monitors: Monitor[] = [];
  if (directory !== undefined)
    monitors.push(new PromotionsMonitor({ directory, lastDream, files: promotions_files, now }));
  if (path !== undefined) monitors.push(new InvestigationsMonitor({ path, prefix: settings.hypothesis_prefix }));
  const { capabilities, capabilities_key: key } = settings;
  if (capabilities !== undefined) monitors.push(new CapabilitiesMonitor({ path: capabilities, key }));
  if (settings.health) {
    const { xsub, xpub } = options;
    const bytes = () => LANES.reduce((sum, lane) => sum + spool.depth(lane).bytes, 0);
    monitors.push(
      new HealthMonitor({
        disks: settings.disks ?? [options.stateDir],
        gpu: () => provided.gpuReadings?.() ?? [],
        ...(options.sources.includes("bus") && {
          busListens: async () => (await Promise.all([isListening(xsub), isListening(xpub)])).every(Boolean),
        }),
        spool: () => ({ bytes: bytes(), maxBytes: spool.maxBytes }),
        limitMs: settings.limit_seconds * 1_000,
      }),
    );
  }
  return new Map(monitors.map((monitor) => [monitor.name, monitor]));
}
