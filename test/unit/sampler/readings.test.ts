import { describe, expect, it } from "vitest";
import { gpuFacts, readGpuLine } from "../../../local-agent/sampler/gpu-readings.ts";
import { cpuPercent, ramPercent, readCpuTimes } from "../../../local-agent/sampler/proc-readings.ts";

describe("/proc readings", () => {
  const stat = (line: string) => `${line}\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 1 2\n`;

  it("count I/O wait as idle, and guest time once", () => {
    expect(readCpuTimes(stat("cpu  10 1 5 80 20 2 2 0 7 0"))).toEqual({ busy: 20, total: 120 });
  });

  it("give the share of busy time between two readings", () => {
    const before = { busy: 100, total: 1_000 };
    expect(cpuPercent(before, { busy: 195, total: 1_100 })).toBe(95);
    expect(cpuPercent(before, { busy: 100, total: 1_000 })).toBeUndefined();
    expect(cpuPercent(before, { busy: 99, total: 1_010 })).toBe(0);
  });

  it("give the share of memory that is not available", () => {
    expect(ramPercent("MemTotal:       1000 kB\nMemFree:  10 kB\nMemAvailable:    250 kB\n")).toBe(75);
    expect(ramPercent("MemTotal: 1000 kB\n")).toBeUndefined();
    expect(readCpuTimes("nothing")).toBeUndefined();
  });
});

describe("nvidia-smi readings", () => {
  it("are read from a line whose GPU name contains commas", () => {
    expect(readGpuLine("0, 37, 1024, 24576, 55, NVIDIA A10, Rev. 2")).toEqual({
      index: 0,
      name: "NVIDIA A10, Rev. 2",
      gpu_utilization: 37,
      gpu_memory_used_mb: 1024,
      gpu_memory_total_mb: 24_576,
      gpu_temperature_c: 55,
    });
  });

  it.each([
    ["0, 97,5, 1000,25, 20475, 60, NVIDIA RTX, 2", "NVIDIA RTX, 2"],
    ["0,  97,5,\t1000,25, 20475, 60, NVIDIA RTX", "NVIDIA RTX"],
  ])("are read from the line %j, whose numbers have decimal commas", (line, name) => {
    expect(readGpuLine(line)).toEqual({
      index: 0,
      name,
      gpu_utilization: 97.5,
      gpu_memory_used_mb: 1000.25,
      gpu_memory_total_mb: 20_475,
      gpu_temperature_c: 60,
    });
  });

  it("are read from a line without blanks", () => {
    expect(readGpuLine("0,37,1024,24576,55,NVIDIA A10,Rev. 2")).toMatchObject({
      name: "NVIDIA A10, Rev. 2",
      gpu_temperature_c: 55,
    });
  });

  it("leave out values that the driver does not know, and keep zeros", () => {
    expect(readGpuLine("1, 0, [N/A], [Not Supported], , Card")).toEqual({ index: 1, name: "Card", gpu_utilization: 0 });
  });

  it.each([
    "",
    "No devices were found",
    "NVIDIA-SMI has failed because it couldn't communicate, with, the, NVIDIA, driver",
    "index, 1, 2",
    "0,97,5,1000,25,20475,60,NVIDIA RTX",
    "0,97,5,1000,20475,60,NVIDIA RTX",
  ])("does not take %j for a card", (line) => {
    expect(readGpuLine(line)).toBeUndefined();
  });

  it("sum the memory of several GPUs, average their utilisation, and list each GPU", () => {
    const cards = ["0, 10, 100, 1000, 40, A", "1, 90, 300, 1000, 41, B"]
      .map((line) => readGpuLine(line))
      .filter((card) => card !== undefined);
    expect(gpuFacts(cards)).toMatchObject({
      gpu_utilization: 50,
      gpu_memory_used_mb: 400,
      gpu_memory_total_mb: 2000,
      gpus: [{ name: "A" }, { name: "B" }],
    });
    expect(gpuFacts(cards.slice(0, 1))).toEqual({
      gpu_utilization: 10,
      gpu_memory_used_mb: 100,
      gpu_memory_total_mb: 1000,
    });
    expect(gpuFacts([])).toEqual({});
  });
});
