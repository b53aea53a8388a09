import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { COMMANDS } from "../../../../cli/commands/all.ts";
import { widthOf } from "../../../../cli/terminal/width.ts";
import { startEdge } from "../fake-edge.ts";
import { ganglion } from "../ganglion.ts";
import { DOCUMENTS, NOW_MS, VIEWS } from "./documents.ts";

// Modules that a command loads take the clock as it is then, and tests of other files go on with them: none may take a fake one.
beforeAll(async () => {
  await Promise.all(Object.values(COMMANDS).map((load) => load()));
});
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW_MS });
});
afterEach(() => {
  vi.useRealTimers();
});

const edgeOfDocuments = () =>
  startEdge(({ url: { pathname, searchParams } }) => {
    const kind = searchParams.has("kind") ? `?kind=${searchParams.get("kind")}` : "";
    const path = `${pathname.replace("/v1/default/", "")}${kind}`;
    return path in DOCUMENTS ? [200, DOCUMENTS[path]] : [404, { title: `no document for ${path}`, status: 404 }];
  });

describe.each([80, 200])("on a terminal of %i columns", (terminal) => {
  it.each(VIEWS.map((args) => [args.join(" "), args] as const))(
    "ganglion %s fits, and is as it was",
    async (name, args) => {
      const edge = await edgeOfDocuments();
      const { code, out, err } = await ganglion([...args, "--url", edge.url], {
        terminal,
        env: { NO_COLOR: "1", TZ: "Europe/Berlin" },
      });
      expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
      expect(out.split("\n").filter((line) => widthOf(line) > terminal)).toEqual([]);
      for (const control of ["\u001b", "\u202e"]) expect(`${out}${err}`).not.toContain(control);
      const file = name.replace(/018f[-0-9a-f]+/, "ID").replaceAll(/[^\w]+/g, "-");
      await expect(err === "" ? out : `${out}--- remarks\n${err}`).toMatchFileSnapshot(
        `snapshots/${file}.${terminal}.txt`,
      );
    },
  );
});
