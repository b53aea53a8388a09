import { describe, expect, test } from "vitest";
import { hrefOf, menuOf, type Place, readPlace, titleOf, VIEWS } from "../../../dashboard/base/place.ts";

const place = (change: Partial<Place>): Place => ({
  ecosystem: "default",
  view: "attention",
  id: undefined,
  query: {},
  ...change,
});

describe("the place of a reader", () => {
  test.each([
    place({}),
    place({ view: "queues", id: "builds", query: { text: "a b&c", status: "failed" } }),
    place({ ecosystem: "team-b", view: "chain", id: "gpu-01.0a1b.bus/7 ä" }),
  ])("is the same after it was written into a URL and read again: %j", (one) => {
    const url = new URL(hrefOf(one), "http://edge");
    expect(readPlace(url.pathname, url.search)).toEqual(one);
  });

  test("is the home of the default ecosystem where the path says nothing", () => {
    expect(readPlace("/app", "")).toEqual(place({}));
    expect(readPlace("/app/", "")).toEqual(place({}));
  });

  test("is the home where the path names a view that there is not", () => {
    expect(readPlace("/app/default/nothing/x", "")).toEqual(place({}));
  });

  test("holds a part that is no valid encoding as it was typed", () => {
    expect(readPlace("/app/default/chain/100%", "").id).toBe("100%");
  });

  test("leaves filters that are empty out of its URL, and sorts the others", () => {
    expect(hrefOf(place({ view: "live", query: { b: "2", empty: "", a: "1" } }))).toBe("/app/default/live?a=1&b=2");
  });

  test("has an own key for each view of the menu", () => {
    expect(new Set(VIEWS.map(({ key }) => key)).size).toBe(VIEWS.length);
  });

  test("marks the entry of the menu to which a detail belongs", () => {
    expect(menuOf("hosts")).toBe("fleet");
    expect(menuOf("chain")).toBe("live");
    expect(menuOf("queues")).toBe("queues");
  });

  test("names what is shown before the view", () => {
    expect(titleOf({ view: "queues", id: "builds" })).toBe("builds · Queues");
    expect(titleOf({ view: "hosts", id: "gpu-01" })).toBe("gpu-01");
    expect(titleOf({ view: "attention", id: undefined })).toBe("Attention");
  });
});
