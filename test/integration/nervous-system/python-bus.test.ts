import { describe, expect, test } from "vitest";
import { hasPythonBus, PythonPublisher, PythonSubscriber } from "../../harness/python-bus.ts";
import { runAgent } from "../../harness/running-agent.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { freeEndpoints } from "../bus/bus-parts.ts";

describe.skipIf(!hasPythonBus)("a Python process on the bus of a host", () => {
  test("hears of the gap that its measurements show, and of what follows, once each; and the gap resolves", async () => {
    const { xsub, xpub } = await freeEndpoints();
    const edge = await runEdge();
    const agent = await runAgent(edge, {
      // Without the sampler: how busy the machine of the tests is would make gaps of its own.
      sources: ["bus"],
      env: { KLR_CHEM_XSUB: xsub, KLR_CHEM_XPUB: xpub },
    });
    await agent.linked();
    const publisher = new PythonPublisher(xsub);
    const subscriber = new PythonSubscriber({ xsub, xpub });
    await Promise.all([publisher.heard(), subscriber.subscribed()]);

    await publisher.observe(10, 95);
    const gap = await subscriber.signal("CAPABILITY_GAP");
    const trigger = await subscriber.signal("Q_CURIOSITY_INVESTIGATE");
    expect(gap.facts).toMatchObject({
      gap_name: "cpu_bottleneck_py-worker",
      gap_category: "resource_utilization",
      metadata: { value: 95, threshold: 90, sample_count: 10, reporters: ["py-worker"] },
    });
    expect(trigger).toMatchObject({ cause: gap.id, facts: { gap_name: "cpu_bottleneck_py-worker" } });

    await publisher.observe(20, 5);
    const resolved = await subscriber.signal("CAPABILITY_GAP_RESOLVED");
    expect(resolved.cause).toBe(gap.id);

    const names = subscriber.heard.map(({ signal }) => signal);
    expect(names.sort()).toEqual(["CAPABILITY_GAP", "CAPABILITY_GAP_RESOLVED", "Q_CURIOSITY_INVESTIGATE"]);
    const client = edge.client();
    expect(await client.gaps("open")).toEqual([]);
    expect(await client.gaps("resolved")).toMatchObject([{ name: "cpu_bottleneck_py-worker", status: "resolved" }]);
    const { decisions } = await client.decisions({ rule: "gap-to-investigation" });
    expect(decisions).toMatchObject([{ outcome: "fired", effects: [trigger.id] }]);
    expect(await agent.process.stop()).toBe(0);
    expect(await edge.process.stop()).toBe(0);
  });
});
