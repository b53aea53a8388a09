import type { Feature } from "../base/feature.ts";
import { GpuSampler } from "./gpu-sampler.ts";
import { HostSampler } from "./host-sampler.ts";

/** Measures this host and its cards (R12). */
export const SAMPLER_ROOM: Feature = {
  name: "sampler",
  shownWhenOff: true,
  reloads: ["sampleSeconds"],
  renews: ["sources", "gpuCommand"],
  assemble({ options, spool, offers, log, now }) {
    if (!options.sources.includes("sampler")) return undefined;
    const { hostId, gpuCommand } = options;
    const intervalMs = options.sampleSeconds * 1000;
    const gpu = new GpuSampler({ intervalMs, now, log, ...(gpuCommand !== undefined && { command: gpuCommand }) });
    const sampler = new HostSampler({ hostId, intervalMs, spool, gpu: () => gpu.readings(), now, log });
    offers.gpuReadings = () => gpu.readings();
    return {
      services: [sampler, gpu],
      reload: async ({ sampleSeconds }) => {
        sampler.setInterval(sampleSeconds * 1000);
        await gpu.setInterval(sampleSeconds * 1000);
      },
    };
  },
};
