import { describe, expect, it } from "vitest";
import { KnownRecipients } from "../../../src/core/mail/known-recipients.ts";
import { isReceivedMail } from "../../../src/core/mail/settings.ts";
import fc from "../../fast-check.ts";
import { anyCorrespondence, compare, ModelMailbox } from "./mailbox-model.ts";
import { MailboxUnderTest } from "./mailbox-under-test.ts";

describe("a mailbox", () => {
  it("delivers each message once and in order, and shows its states and times, whatever crashes or is said twice", () => {
    fc.assert(
      fc.property(anyCorrespondence, (commands) => {
        const [model, real] = [new ModelMailbox(), new MailboxUnderTest()];
        fc.modelRun(() => ({ model, real }), commands);
        compare(model, real);
      }),
      { numRuns: 1_000 },
    );
  });

  it("keeps no dead letter of what was delivered, and one of what was not", () => {
    expect(isReceivedMail("mail", { outcome: "expired", attempt: 1 })).toBe(true);
    expect(isReceivedMail("mail", { outcome: "expired", attempt: 0 })).toBe(false);
    expect(isReceivedMail("mail", { outcome: "failed", attempt: 1 })).toBe(false);
    expect(isReceivedMail("work", { outcome: "expired", attempt: 1 })).toBe(false);
  });
});

describe("the known recipients of a mailbox", () => {
  it("are stored once each, and the oldest are forgotten when there are too many", () => {
    const known = new KnownRecipients(["ada"]);
    expect([known.add("ada"), known.add("bob")]).toEqual([false, true]);
    for (let n = 0; n < 999; n++) known.add(`n${n}`);
    expect([known.has("ada"), known.has("bob"), known.all.length]).toEqual([false, true, 1_000]);
  });
});
