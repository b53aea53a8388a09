import { describe, expect, it } from "vitest";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

/** What a call asks the edge for: the verb and the older word must ask for the same. */
async function asked(args: readonly string[]) {
  const edge = await startEdge(() => [404, { title: "Not here", status: 404 }]);
  const { code } = await ganglion([...args, "--url", edge.url]);
  const [first] = edge.received;
  return { code, call: first && [first.method, first.url.pathname, first.url.search, first.body] };
}

describe("the verbs list, show, set and delete", () => {
  it.each([
    ["hosts", "agents"],
    ["hosts list", "agents"],
    ["hosts show gpu-01", "agents gpu-01"],
    ["hosts delete gpu-01", "agents gpu-01 --forget"],
    ["file-tasks", "workers"],
    ["file-tasks list", "workers"],
    ["file-tasks show translate", "workers translate"],
    ["gaps list --status all", "gaps --status all"],
    ["gaps show hot", "gaps hot"],
    ["gaps show hot --samples", "gaps hot --samples"],
    ["agent-sessions list --agent codex", "agent-sessions --agent codex"],
    ["agent-sessions show s-1", "agent-sessions s-1"],
    ["decisions list --rule hot --limit 5", "decisions --rule hot --limit 5"],
    ["expectations list --rule hot", "expectations --rule hot"],
    ["audit list --by ops", "audit --by ops"],
    ["scanners list", "scanners"],
    ["producers list --host a", "producers --host a"],
    ["monitors show", "monitors"],
    ["maintenance show", "maintenance"],
    ["maintenance set on --reason move", "maintenance on --reason move"],
    ["budget show", "budget"],
    ["budget set 20", "budget 20"],
    ["webhooks delete pager", "webhooks remove pager"],
    ["webhooks set pager https://e", "webhooks add pager https://e"],
    ["models delete small", "models remove small"],
    ["bridges set b --to e --signals X", "bridges put b --to e --signals X"],
    ["sessions delete s", "sessions end s"],
    ["ecosystems list", "ecosystem list"],
    ["dead-letters list --kind task", "dlq list --kind task"],
    ["dlq delete a", "dlq discard a"],
    ["observations --reporter a", "observations --zooid a"],
  ])("`ganglion %s` asks as `ganglion %s` does", async (verb, older) => {
    const [now, before] = [await asked(verb.split(" ")), await asked(older.split(" "))];
    expect(now.call).toBeDefined();
    expect(now).toEqual(before);
  });

  it.each(["gaps show", "hosts show", "file-tasks show", "agent-sessions show", "budget set", "maintenance set"])(
    "`ganglion %s` wants the name that it is about",
    async (args) => {
      const { code, err } = await ganglion(args.split(" "));
      expect([code, err]).toEqual([2, expect.stringContaining("missing required argument")]);
    },
  );
});
