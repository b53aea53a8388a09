import { describe, expect, it } from "vitest";
import { urlProblem } from "../../../src/core/webhooks/url-rule.ts";

describe("URL rule of webhook endpoints", () => {
  it.each([
    "https://example.org/",
    "https://hooks.example.org:8443/a?b=c",
    "https://93.184.216.34/",
    "https://[2001:4860::8888]/",
  ])("allows %s everywhere", (url) => expect(urlProblem(url, false)).toBeUndefined());

  it.each([
    "http://example.org/",
    "https://localhost/",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://10.1.2.3/",
    "https://172.31.0.1/",
    "https://192.168.0.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://100.64.0.1/",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[fd00::1]/",
    "https://[fe80::1]/",
    "https://metadata.internal/",
    "https://printer.local./",
    "https://intranet/",
  ])("allows %s only where private addresses are allowed", (url) => {
    expect(urlProblem(url, false)).toMatch(/WEBHOOKS_ALLOW_PRIVATE/);
    expect(urlProblem(url, true)).toBeUndefined();
  });

  it.each([
    "",
    "example.org",
    "ftp://example.org/",
    "javascript:alert(1)",
    "https://a:b@example.org/",
    "https://example.org/#x",
  ])("refuses %j everywhere", (url) => expect(urlProblem(url, true)).toEqual(expect.any(String)));
});
