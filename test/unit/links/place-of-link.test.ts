import { describe, expect, it } from "vitest";
import { LINKS_OF_RELAY, placeOfLink, readRelayLinks } from "../../../src/core/links/place-of-link.ts";

const relay = (name: string, hosts: number, has = false) => ({ name, hosts, has });

describe("the place of a new link", () => {
  it("is the log while the ecosystem has few links", () => {
    expect(placeOfLink([], 49, 50)).toBeUndefined();
    expect(placeOfLink([], 50, 50)).toBe("1");
    expect(placeOfLink([relay("1", 30)], 20, 50)).toBe("1");
  });

  it("is the relay that has the host, however many links there are", () => {
    expect(placeOfLink([relay("1", 1), relay("2", 1, true)], 0, 50)).toBe("2");
    expect(placeOfLink([relay("1", LINKS_OF_RELAY, true)], 0, 0)).toBe("1");
  });

  it("is the first relay with room, and a new one where none has any", () => {
    expect(placeOfLink([relay("1", LINKS_OF_RELAY), relay("2", 1)], 0, 0)).toBe("2");
    expect(placeOfLink([relay("2", LINKS_OF_RELAY)], 0, 0)).toBe("1");
    expect(placeOfLink([relay("1", LINKS_OF_RELAY)], 0, 0)).toBe("2");
  });
});

describe("LINK_RELAY_LINKS", () => {
  it.each([
    [undefined, 50],
    ["", 50],
    ["0", 0],
    ["200", 200],
    ["off", Number.POSITIVE_INFINITY],
    ["many", undefined],
    ["-1", undefined],
    ["1.5", undefined],
  ])("%j is read as %j", (text, links) => {
    expect(readRelayLinks(text)).toBe(links);
  });
});
