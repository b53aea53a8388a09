import { describe, expect, it } from "vitest";
import { readBusMessage } from "../../../local-agent/bus/read-message.ts";

describe("a message of the host's bus", () => {
  it("may begin with a byte-order mark", () => {
    const body = Buffer.from(`\ufeff${JSON.stringify({ source: "s", facts: { n: 1 } })}`);
    expect(readBusMessage([Buffer.from("Q_X"), body])).toEqual({
      ok: true,
      input: { signal: "Q_X", source: "s", facts: { n: 1 } },
    });
  });
});
