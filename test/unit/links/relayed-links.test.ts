import { describe, expect, it } from "vitest";
import { LINKS_OF_RELAY } from "../../../src/core/links/place-of-link.ts";
import { RelayedLinks } from "../../../src/core/links/relayed-links.ts";

const link = (host: string, token = "t") => ({ host, token, openedMs: 1 });
const report = (version: number, ...links: ReturnType<typeof link>[]) => ({ instance: "i", version, links });

describe("the links that relays hold", () => {
  it("count those that will open in a moment, so that a crowd that comes at once spreads over relays", () => {
    const links = new RelayedLinks();
    const places = Array.from({ length: 2 * LINKS_OF_RELAY + 1 }, (_, n) => links.place(`h${n}`, 50, 50, 0));
    expect(
      Object.fromEntries(
        Map.groupBy(places, (name) => name ?? "log")
          .entries()
          .map(([k, v]) => [k, v.length]),
      ),
    ).toEqual({
      1: LINKS_OF_RELAY,
      2: LINKS_OF_RELAY,
      3: 1,
    });
  });

  it("forget after a minute who was sent to a relay and did not come", () => {
    const links = new RelayedLinks();
    for (let n = 0; n < LINKS_OF_RELAY; n++) links.place(`h${n}`, 0, 0, 0);
    expect(links.place("late", 0, 0, 59_999)).toBe("2");
    expect(links.place("later", 0, 0, 60_000)).toBe("1");
  });

  it("are those of the newest report of a relay's life", () => {
    const links = new RelayedLinks();
    expect(links.reported("1", report(2, link("a")))).toBe(true);
    expect(links.reported("1", report(1))).toBe(false);
    expect(links.links).toEqual([link("a")]);
    expect(links.reported("1", { ...report(1), instance: "next life" })).toBe(true);
    expect(links.links).toEqual([]);
  });

  it("are counted for each token, with those that the log let in and no report names yet", () => {
    const links = new RelayedLinks();
    links.reported("1", report(1, link("a"), link("b"), link("c", "other")));
    links.admitted("2", "d", "t", 0);
    expect(links.countOf("t", undefined, 1)).toBe(3);
    expect(links.countOf("t", "a", 1)).toBe(2);
    expect(links.countOf("t", undefined, 60_000)).toBe(2);
  });

  it("are counted by what a relay says of itself when it asks, without links that it let in and that have closed", () => {
    const links = new RelayedLinks();
    links.reported("1", report(1, link("a"), link("b")));
    for (const host of ["c", "d", "e"]) links.admitted("1", host, "t", 0);
    // `c` has opened and closed, `d` is open, the answer about `e` is on its way.
    const claim = { relay: "1", ofToken: ["b", "d"], claiming: ["e", "f"] };
    expect(links.countOf("t", "f", 1, claim)).toBe(3);
    expect(links.countOf("t", "b", 1, { ...claim, claiming: ["b"] })).toBe(1);
  });
});
