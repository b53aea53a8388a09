import { describe, expect, test } from "vitest";
import { decideLink, type HostLink, type HostOwner, type LinkClaim } from "../../../src/core/hosts/link-claim.ts";
import fc from "../../fast-check.ts";

const claim = (more: Partial<LinkClaim> = {}): LinkClaim => ({
  host: "gpu-01",
  token: "t1",
  right: "any",
  installation: "i1",
  instance: "p1",
  place: "gpu-01:/var/lib/ganglion",
  takeOver: false,
  ...more,
});
const link = (more: Partial<HostLink> = {}): HostLink => ({
  token: "t1",
  admin: false,
  installation: "i1",
  instance: "p1",
  place: "gpu-01:/var/lib/ganglion",
  replaced: [],
  alive: true,
  ...more,
});
const owner = (more: Partial<HostOwner> = {}): HostOwner => ({
  token: "t1",
  installation: "i1",
  place: "gpu-01:/var/lib/ganglion",
  sinceMs: 1_000,
  ...more,
});

describe("the name of a host", () => {
  test("belongs to the first token that links", () => {
    expect(decideLink(claim(), undefined, [], 5)).toMatchObject({
      kind: "open",
      owner: { token: "t1", installation: "i1", sinceMs: 5 },
    });
  });

  test("is refused to another token, also when nobody is linked", () => {
    expect(decideLink(claim({ token: "t2", takeOver: true }), owner(), [], 5)).toMatchObject({
      kind: "refused",
      why: "another-token",
      owner: { place: "gpu-01:/var/lib/ganglion", sinceMs: 1_000 },
    });
  });

  test("goes to a token that is bound to the host", () => {
    const decision = decideLink(claim({ token: "t2", right: "bound" }), owner(), [], 5);
    expect(decision).toMatchObject({ kind: "open", owner: { token: "t2" } });
  });

  test("stays with its token when an administrator links", () => {
    const decision = decideLink(claim({ token: "admin", right: "admin" }), owner(), [], 5);
    expect(decision).toMatchObject({ kind: "open", owner: undefined });
  });

  test("is not written again for the same token and installation", () => {
    expect(decideLink(claim({ instance: "p2" }), owner(), [link()], 5)).toMatchObject({ owner: undefined });
  });
});

describe("a second installation of a host's name", () => {
  test("is refused while the first is linked, with the place where that one runs", () => {
    const decision = decideLink(claim({ installation: "i2" }), owner(), [link({ place: "old:/state" })], 5);
    expect(decision).toMatchObject({ kind: "refused", why: "another-installation", owner: { place: "old:/state" } });
  });

  test("replaces the first when it is told to", () => {
    const first = link();
    const decision = decideLink(claim({ installation: "i2", takeOver: true }), owner(), [first], 5);
    expect(decision).toMatchObject({ kind: "open", close: [first], why: "taken-over", owner: { installation: "i2" } });
  });

  test.each([
    ["is gone", []],
    ["is silent", [link({ alive: false })]],
  ])("follows without a word when the first %s", (_, links) => {
    const decision = decideLink(claim({ installation: "i2" }), owner(), links, 5);
    expect(decision).toMatchObject({ kind: "open", close: links, owner: { installation: "i2" } });
  });
});

describe("the same installation", () => {
  test("replaces its own link at once", () => {
    const old = link();
    expect(decideLink(claim({ instance: "p2" }), owner(), [old], 5)).toMatchObject({
      kind: "open",
      close: [old],
      why: "replaced",
      replaced: ["p1"],
    });
  });

  test("is refused when a process comes back that a copy of it has replaced", () => {
    const copy = link({ instance: "p2", place: "clone:/state", replaced: ["p1"] });
    expect(decideLink(claim({ instance: "p1" }), owner(), [copy], 5)).toMatchObject({
      kind: "refused",
      why: "copy",
      owner: { place: "clone:/state" },
    });
    expect(decideLink(claim({ instance: "p1" }), owner(), [{ ...copy, alive: false }], 5)).toMatchObject({
      kind: "open",
    });
    expect(decideLink(claim({ instance: "p1", takeOver: true }), owner(), [copy], 5)).toMatchObject({
      kind: "open",
      close: [{ ...copy }],
    });
  });
});

test("clients that do not say who they are may have several links", () => {
  const first = link({ installation: null, instance: null, place: "" });
  const decision = decideLink(claim({ installation: null, instance: null, place: "" }), undefined, [first], 5);
  expect(decision).toMatchObject({ kind: "open", close: [] });
});

test("a token that takes the name ends the links of the token before it, and those of administrators stay", () => {
  const silent = { installation: null, instance: null, place: "" };
  const [before, admin] = [link(silent), link({ ...silent, token: "root", admin: true })];
  for (const owned of [undefined, owner()]) {
    const decision = decideLink(claim({ ...silent, token: "t2", right: "bound" }), owned, [before, admin], 5);
    expect(decision).toMatchObject({ kind: "open", close: [before], why: "taken-over" });
  }
  const beside = decideLink(claim({ ...silent, token: "root", right: "admin" }), owner(), [before], 5);
  expect(beside).toMatchObject({ kind: "open", close: [] });
});

test("whoever links in which order, at most one installation of one token is linked", () => {
  const arrival = fc.record({
    token: fc.constantFrom("t1", "t2", "t3"),
    right: fc.constantFrom("any" as const, "bound" as const, "admin" as const),
    installation: fc.constantFrom("i1", "i2", "i3"),
    instance: fc.constantFrom("p1", "p2", "p3"),
    takeOver: fc.boolean(),
    leaves: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(arrival, { maxLength: 30 }), (arrivals) => {
      let owned: HostOwner | undefined;
      let links: HostLink[] = [];
      for (const [nowMs, { leaves, ...each }] of arrivals.entries()) {
        if (leaves) links = links.slice(1);
        const before = owned;
        const decision = decideLink(claim(each), owned, links, nowMs);
        if (decision.kind === "refused") {
          expect(before === undefined && links.length === 0).toBe(false);
          continue;
        }
        if (before !== undefined && each.right === "any") expect(each.token).toBe(before.token);
        owned = decision.owner ?? owned;
        links = links.filter((open) => !decision.close.includes(open));
        links.push({ ...link(each), replaced: decision.replaced, admin: each.right === "admin" });
        expect(new Set(links.map(({ installation }) => installation)).size).toBe(1);
        expect(links).toHaveLength(1);
      }
    }),
    { numRuns: 1_000 },
  );
});
