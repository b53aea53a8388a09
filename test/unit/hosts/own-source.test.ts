import { describe, expect, test } from "vitest";
import { isSourceOfHost } from "../../../src/core/hosts/own-source.ts";

describe("the sources of a host's own agent", () => {
  test.each([
    "agent/gpu-01",
    "intent-router/gpu-01",
    "metrics/gpu-01/gpu.jsonl",
    "reaction/deploy/gpu-01",
    "sampler/gpu-01",
    "sessions/gpu-01",
    "supervisor/gpu-01",
    "worker/coder@gpu-01",
  ])("hold %s", (source) => expect(isSourceOfHost("gpu-01", source)).toBe(true));

  test.each([
    "gpu-01",
    "jobs",
    "jobs/gpu-01",
    "sampler/gpu-012",
    "sampler/gpu-01/x",
    "metrics/gpu-01",
    "metrics/gpu-02/gpu-01/x",
    "reaction/gpu-01/gpu-02",
    "reaction/xgpu-01",
    "worker/coder@xgpu-01",
    "/gpu-01",
    "",
  ])("do not hold %j", (source) => expect(isSourceOfHost("gpu-01", source)).toBe(false));
});
