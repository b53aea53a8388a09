import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { MaintenanceFile } from "../../../local-agent/maintenance/maintenance-file.ts";
import type { Maintenance } from "../../../src/core/introspection/api.ts";
import { silent, temporaryDirectory } from "../store/temporary-state.ts";

const stopping: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stopping.splice(0)) await stop();
});

async function watched(edge = { maintenance: off }) {
  const path = join(temporaryDirectory(), "maintenance_mode");
  let nowMs = 0;
  const changes: string[] = [];
  const file = new MaintenanceFile({
    path,
    hostId: "a",
    log: silent,
    rescanMs: 1e9,
    nowMs: () => nowMs,
    edge: () => ({
      maintenance: async () => edge.maintenance,
      setMaintenance: async ({ enabled, reason = null }) => {
        changes.push(`${enabled ? "on" : "off"}${reason === null ? "" : `: ${reason}`}`);
        edge.maintenance = { ...off, enabled, reason };
        return edge.maintenance;
      },
    }),
  });
  stopping.push(() => file.stop());
  await file.start();
  const look = async (ms = 0) => {
    nowMs += ms;
    await file.look();
  };
  return { path, file, changes, edge, look };
}

const off: Maintenance = { enabled: false, reason: null, since: null, by: null };

describe("the file maintenance_mode", () => {
  it("keeps the ecosystem in maintenance while it is there", async () => {
    const { path, changes, look, file } = await watched();
    await look();
    expect(changes).toEqual([]);
    writeFileSync(path, "");
    await look();
    await look();
    expect(changes).toEqual([`on: the file ${path} of host a`]);
    expect(file.report()).toMatchObject({ state: "live", detail: expect.stringContaining("maintenance is on") });
    rmSync(path);
    await look();
    expect(changes.slice(1)).toEqual(["off"]);
  });

  it("ends no maintenance that a person switched on", async () => {
    const { path, changes, look } = await watched({ maintenance: { ...off, enabled: true, reason: "moving" } });
    writeFileSync(path, "");
    await look();
    rmSync(path);
    await look();
    expect(changes).toEqual([]);
  });

  it("switches maintenance on again where the file of another host has ended it", async () => {
    const { path, changes, look, edge } = await watched();
    writeFileSync(path, "");
    await look();
    edge.maintenance = off;
    await look(59_000);
    expect(changes).toHaveLength(1);
    await look(1_000);
    expect(changes).toHaveLength(2);
  });

  it("is known after a restart, by the reason alone", async () => {
    const { path, edge } = await watched();
    const next = await watched(edge);
    expect(next.changes).toEqual([]);
    edge.maintenance = { ...off, enabled: true, reason: `the file ${path} of host a` };
    const other = await watched(edge);
    await other.look();
    // Another file: not its maintenance.
    expect(other.changes).toEqual([]);
  });
});
