import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MANIFEST, readManifest } from "../../../local-edge/backup/manifest.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ganglion-backup-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const file = { path: "edge/do/log.sqlite", bytes: 4_096, sha256: "0".repeat(64) };
const manifest = { format: 1, at: "2026-11-01T12:00:00.000Z", version: "0.9.0", pause_ms: 12, files: [file] };
const reading = (text: string) => {
  writeFileSync(join(directory, MANIFEST), text);
  return () => readManifest(directory);
};

describe("the list of a backup", () => {
  it("is read as it was written", () => {
    expect(reading(JSON.stringify(manifest))()).toEqual(manifest);
  });

  it.each([
    ["is cut off", JSON.stringify(manifest).slice(0, 60), /damaged: it is not JSON/],
    ["is no object", "[]", /damaged: /],
    ["has no files", JSON.stringify({ ...manifest, files: undefined }), /damaged: files: /],
    [
      "has a size that is no number",
      JSON.stringify({ ...manifest, files: [{ ...file, bytes: "4" }] }),
      /files\.0\.bytes/,
    ],
    ["has a short digest", JSON.stringify({ ...manifest, files: [{ ...file, sha256: "00" }] }), /files\.0\.sha256/],
    ["names an absolute path", JSON.stringify({ ...manifest, files: [{ ...file, path: "/etc/passwd" }] }), /leads out/],
    [
      "leads out of its directory",
      JSON.stringify({ ...manifest, files: [{ ...file, path: "../token" }] }),
      /leads out/,
    ],
    ["goes back on its way", JSON.stringify({ ...manifest, files: [{ ...file, path: "a/../../b" }] }), /leads out/],
    ["is of a later format", JSON.stringify({ ...manifest, format: 2 }), /another format \(2\)/],
  ])("that %s is refused with the reason", (_, text, reason) => {
    expect(reading(text)).toThrow(reason);
  });

  it("is missed where a directory is no backup", () => {
    expect(() => readManifest(directory)).toThrow(/is no backup/);
  });
});
