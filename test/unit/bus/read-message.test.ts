import { describe, expect, test } from "vitest";
import { readBusMessage } from "../../../local-agent/bus/read-message.ts";

const read = (text: string) => readBusMessage([Buffer.from("Q_A"), Buffer.from(text)]);

describe("a message of the host's bus", () => {
  test("keeps numbers that JSON readers would change as text, and counts them", () => {
    expect(read('{"facts":{"id":9007199254740993,"n":1e400,"m":1.5}}')).toEqual({
      ok: true,
      input: { signal: "Q_A", source: "bus", facts: { id: "9007199254740993", n: "1e400", m: 1.5 } },
      keptAsText: 2,
      marks: { hasTs: false, incidentId: undefined },
    });
  });

  test("may begin with a byte-order mark", () => {
    expect(read('\ufeff{"facts":{}}')).toMatchObject({ ok: true, keptAsText: 0 });
  });

  test("that is nested too deeply is refused with the place", () => {
    expect(read(`{"facts":{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}}`)).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/^the message is refused: \/facts\/a\/0.*nested too deeply/),
      errors: [{ pointer: `/facts/a${"/0".repeat(63)}` }],
    });
  });
});
