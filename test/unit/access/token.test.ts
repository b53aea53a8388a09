import { describe, expect, it } from "vitest";
import { makeToken, parseToken, TOKEN_ID_BYTES, TOKEN_SECRET_BYTES } from "../../../src/core/access/token.ts";
import fc from "../../fast-check.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

describe("tokens", () => {
  it("are parsed into the id and the secret that they were made of, for any random bytes", () => {
    fc.assert(
      fc.property(bytes(TOKEN_ID_BYTES), bytes(TOKEN_SECRET_BYTES), (idBytes, secretBytes) => {
        const { id, secret, token } = makeToken(idBytes, secretBytes);
        expect(parseToken(token)).toEqual({ id, secret });
        expect(Buffer.from(secret, "base64url")).toEqual(Buffer.from(secretBytes));
      }),
    );
  });

  it("are refused when too short, too long or with other characters", () => {
    const { token } = makeToken(new Uint8Array(TOKEN_ID_BYTES), new Uint8Array(TOKEN_SECRET_BYTES));
    for (const other of [
      "",
      token.slice(1),
      token.slice(0, -1),
      `${token}A`,
      token.replace("_", "-"),
      ` ${token}`,
      `${token}\n`,
    ]) {
      expect(parseToken(other)).toBeUndefined();
    }
  });
});
