import type { Feature } from "../feature/feature.ts";
import { GpuSampler } from "./gpu-sampler.ts";
import { HostSampler } from "./host-sampler.ts";
import type { SamplerFeatureOptions } from "./settings.ts";

/** Measures this host and its graphics cards. */
export const SAMPLER_FEATURE: Feature<SamplerFeatureOptions> = {
  name: "sampler",
  shownWhenOff: true,
  reloadOn: ["sampleSeconds"],
  restartOn: ["sources", "gpuCommand"],
  assemble({ options, register, spool, log, now }) {
    if (!options.sources.includes("sampler")) return undefined;
    const { hostId, gpuCommand } = options;
    const intervalMs = options.sampleSeconds * 1000;
    const gpu = new GpuSampler({ intervalMs, now, log, ...(gpuCommand !== undefined && { command: gpuCommand }) });
    const sampler = new HostSampler({ hostId, intervalMs, spool, gpu: () => gpu.readings(), now, log });
    register.provide("gpuReadings", () => gpu.readings());
    return {
      services: [sampler, gpu],
      reload: async ({ sampleSeconds }) => {
        sampler.setInterval(sampleSeconds * 1000);
        await gpu.setInterval(sampleSeconds * 1000);
      },
    };
  },
};
