import { describe, expect, it } from "vitest";
import { type BrowserRequest, foreignTo } from "../../../src/core/access/own-page.ts";

const read: BrowserRequest = {
  method: "GET",
  upgrade: false,
  host: "edge.example",
  fetchSite: "same-origin",
  origin: undefined,
  contentType: undefined,
  hasBody: false,
  own: undefined,
};
const write: BrowserRequest = {
  ...read,
  method: "POST",
  origin: "https://edge.example",
  contentType: "application/json",
  hasBody: true,
  own: "1",
};

describe("a cookie counts for", () => {
  it.each<[string, BrowserRequest]>([
    ["a read of an own page", read],
    [
      "a read of an own page in a browser that says its origin alone",
      { ...read, fetchSite: undefined, origin: "https://edge.example" },
    ],
    ["a change by an own page", write],
    ["a change that has no body", { ...write, method: "DELETE", contentType: undefined, hasBody: false }],
    ["a change with a charset", { ...write, contentType: "Application/JSON; charset=utf-8" }],
    ["a WebSocket of an own page", { ...read, upgrade: true, origin: "https://edge.example" }],
    ["an own page behind a proxy that names the scheme's own port", { ...write, host: "edge.example:443" }],
    [
      "an own page on another port, where the edge is there",
      { ...write, host: "edge.example:8443", origin: "https://edge.example:8443" },
    ],
    ["an own page on loopback", { ...write, host: "127.0.0.1:8787", origin: "http://127.0.0.1:8787" }],
    ["an own page whose host is written in capitals", { ...write, host: "Edge.Example" }],
  ])("%s", (_what, request) => expect(foreignTo(request)).toBeUndefined());
});

describe("a cookie does not count for", () => {
  it.each<[string, BrowserRequest, RegExp]>([
    ["another site", { ...read, fetchSite: "cross-site" }, /cross-site/],
    ["another host of the site", { ...read, fetchSite: "same-site" }, /same-site/],
    ["an address that was typed", { ...read, fetchSite: "none" }, /none/],
    ["an own Sec-Fetch-Site with a foreign origin", { ...write, origin: "https://evil.example" }, /Origin is another/],
    ["an own origin with a foreign Sec-Fetch-Site", { ...write, fetchSite: "cross-site" }, /cross-site/],
    ["a request that says nothing", { ...read, fetchSite: undefined }, /Origin is missing/],
    ["a sandboxed frame", { ...write, origin: "null" }, /Origin is another/],
    ["another port", { ...write, origin: "https://edge.example:8443" }, /Origin is another/],
    ["a host whose name begins alike", { ...write, origin: "https://edge.example.evil" }, /Origin is another/],
    ["an extension", { ...write, origin: "chrome-extension://edge.example" }, /Origin is another/],
    ["a host that is no host", { ...write, host: "a b" }, /Origin is another/],
    ["a WebSocket without an origin", { ...read, upgrade: true }, /Origin is missing/],
    ["a change without the header", { ...write, own: undefined }, /Ganglion-Session/],
    ["a change with the header empty", { ...write, own: "" }, /Ganglion-Session/],
    ["a change as a form sends it", { ...write, contentType: "text/plain" }, /Content-Type/],
    ["a change whose body has no type", { ...write, contentType: undefined }, /Content-Type/],
    [
      "a change by a form without fields",
      { ...write, contentType: "multipart/form-data", hasBody: false },
      /Content-Type/,
    ],
  ])("%s", (_what, request, reason) => expect(foreignTo(request)).toMatch(reason));
});
