import { describe, expect, it } from "vitest";
import { HIDDEN, withoutSecrets } from "../../../src/core/questions/hide-secrets.ts";
import fc from "../../fast-check.ts";

const shown = (text: string) => withoutSecrets(text, 1_000);
/** In parts, so that no scanner of repositories takes it for one. */
const joined = (...parts: string[]) => parts.join("");

describe("what is shown of a text with secrets", () => {
  it.each([
    ["a bearer token", 'curl -H "Authorization: Bearer ', joined("abcdef", "0123456789"), '" https://x.example'],
    ["the password in an address", "psql postgres://ada:", "correct-horse", "@db.example/shop"],
    ["a variable of the environment", "API_KEY=", joined("q9x8", "w7v6u5"), " npm publish"],
    ["a field of JSON", '{"password": "', "hunter2hunter2", '", "user": "ada"}'],
    ["a field of JSON in JSON", '{"body":"{\\"client_secret\\": \\"', "hunter2hunter2", '\\"}"}'],
    ["a passphrase with spaces", 'PASSPHRASE="', "correct horse battery", '" ./sign'],
    ["an option", "deploy --token ", "s3cr3t-value", " --dry-run"],
    ["a token of this edge", "export X=", joined("gng_", "abcdef012345_", "A".repeat(43)), ""],
    ["a token of GitHub", "git clone ", joined("gh", "p_", "a1B2c3D4e5F6g7H8"), ""],
    ["a key of a provider of models", "run ", joined("sk", "-ant-", "a1B2c3D4e5F6"), " now"],
    ["a JSON Web Token", "jwt ", joined("ey", "JhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxIn0", ".c2lnbmF0dXJl"), ""],
    ["a private key whose end was cut off", "echo ", "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nAbCd", ""],
  ])("has no part of %s", (_what, before, secret, after) => {
    const text = shown(`${before}${secret}${after}`);
    expect(text).toContain(HIDDEN);
    expect(text).not.toContain(secret.slice(-8));
    expect(text.endsWith(after.replace(/^"/, ""))).toBe(true);
  });

  it.each(["rm -rf build", "npm publish --tag next", "git commit -m 'Tokens expire'", "https://x.example:8080/a?b=c"])(
    "is all of %s, which has none",
    (text) => expect(shown(text)).toBe(text),
  );

  it("is cut at its bound, and never longer, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), fc.integer({ min: 20, max: 200 }), (text, most) => {
        expect(withoutSecrets(text, most).length).toBeLessThanOrEqual(most);
      }),
    );
    expect(shown("x".repeat(100_000))).toHaveLength(1_000);
  });

  it("is found in a time that grows with the text alone", () => {
    const hostile = [
      "password".repeat(5_000),
      `https://${"a:".repeat(8_000)}`,
      `${"-----BEGIN ".repeat(1_400)}`,
      "secret=".repeat(3_000),
    ];
    const started = performance.now();
    for (const text of hostile) withoutSecrets(text, 1_000);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
