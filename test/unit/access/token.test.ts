import { describe, expect, it } from "vitest";
import { makeToken, parseToken, TOKEN_ID_BYTES, TOKEN_SECRET_BYTES } from "../../../src/core/access/token.ts";
import fc from "../../fast-check.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const random = fc.tuple(bytes(TOKEN_ID_BYTES), bytes(TOKEN_SECRET_BYTES));

describe("tokens", () => {
  it("are parsed into the id and the secret that they were made of, for any random bytes", () => {
    fc.assert(
      fc.property(random, ([idBytes, secretBytes]) => {
        const { id, secret, token } = makeToken(idBytes, secretBytes);
        expect(parseToken(token)).toEqual({ id, secret });
        expect(Buffer.from(secret, "base64url")).toEqual(Buffer.from(secretBytes));
      }),
    );
  });

  it("of earlier versions, which end without a checksum, are parsed too", () => {
    fc.assert(
      fc.property(random, ([idBytes, secretBytes]) => {
        const { id, secret } = makeToken(idBytes, secretBytes);
        expect(parseToken(`gng_${id}_${secret}`)).toEqual({ id, secret });
      }),
    );
  });

  it("end with the checksum that this version has always written", () => {
    const { token } = makeToken(new Uint8Array(TOKEN_ID_BYTES), new Uint8Array(TOKEN_SECRET_BYTES));
    expect(token).toBe(`gng_${"a".repeat(12)}_${"A".repeat(43)}2F7GSQ`);
  });

  it("are refused when one character of id, secret or checksum is another one", () => {
    fc.assert(
      fc.property(
        random,
        fc.nat({ max: 61 }),
        fc.constantFrom(..."abcdefgh234567"),
        ([idBytes, secretBytes], at, other) => {
          const { token } = makeToken(idBytes, secretBytes);
          const place = at + 4;
          fc.pre(token[place] !== other && token[place] !== "_" && place < token.length);
          expect(parseToken(`${token.slice(0, place)}${other}${token.slice(place + 1)}`)).toBeUndefined();
        },
      ),
    );
  });

  it("that were made up with a checksum of any kind are refused", () => {
    const letters = fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    const text = (length: number) =>
      fc.array(letters, { minLength: length, maxLength: length }).map((chosen) => chosen.join(""));
    fc.assert(
      fc.property(text(43), text(6), (secret, checksum) => {
        // One in four thousand million is right by chance.
        expect(parseToken(`gng_${"a".repeat(12)}_${secret}${checksum}`)).toBeUndefined();
      }),
    );
  });

  it("are refused when too short, too long or with other characters", () => {
    const { token } = makeToken(new Uint8Array(TOKEN_ID_BYTES), new Uint8Array(TOKEN_SECRET_BYTES));
    for (const other of [
      "",
      token.slice(1),
      token.slice(0, -1),
      token.slice(0, -5),
      token.slice(0, -7),
      `${token}A`,
      token.replace("_", "-"),
      ` ${token}`,
      `${token}\n`,
    ]) {
      expect(parseToken(other)).toBeUndefined();
    }
  });
});
