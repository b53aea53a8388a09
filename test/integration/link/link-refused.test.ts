import { describe, expect, it } from "vitest";
import { createLog } from "../../../local-agent/base/log.ts";
import { signal, startEdge, startLink } from "./link-under-test.ts";

const refusal = (frame: string, more: object = {}) =>
  JSON.stringify({
    type: "refused",
    batch: null,
    frame,
    problem: { type: "/problems/not-now", title: "Not taken", status: 422, detail: `this ${frame} is wrong` },
    ...more,
  });

describe("link, refused", () => {
  it.each(["status", "facts", "subscribe"])(
    "keeps its connection after a refused %s, logs the reason, and goes on",
    async (frame) => {
      const edge = await startEdge();
      const warnings: string[] = [];
      const log = createLog({ format: "text", level: "warn" });
      log.warn = (text: unknown) => void warnings.push(String(text));
      const { link, spool, inbox } = await startLink(edge, { log });
      await edge.when(() => edge.subscriptions.length === 1);
      edge.sendToAll(refusal(frame));
      await spool.put("bus", [signal("after the refusal")]);
      await spool.drained();
      edge.append("Q_AFTER", {});
      await edge.when(() => edge.seen.includes(2));
      expect(inbox.next("test", 10).map((received) => received.signal)).toEqual(["Q_TEST_DONE", "Q_AFTER"]);
      link.setStatus({ after: "the refusal" });
      await edge.when(() => edge.statuses.length === 1);
      expect(warnings).toEqual([
        `link: the edge refused a frame of the type ${frame}: Not taken: this ${frame} is wrong`,
      ]);
      expect(edge.upgrades).toHaveLength(1);
    },
  );

  it("subscribes again when the edge names a time for it", async () => {
    const edge = await startEdge();
    await startLink(edge);
    await edge.when(() => edge.subscriptions.length === 1);
    edge.sendToAll(refusal("subscribe", { retry_after_ms: 1 }));
    await edge.when(() => edge.subscriptions.length === 2);
    expect(edge.upgrades).toHaveLength(1);
  });
});
