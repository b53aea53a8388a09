import type { Rng } from "../rng.ts";

const nested = (depth: number, open: string, close: string) => open.repeat(depth) + close.repeat(depth);

/** Texts that stand for one value and that JavaScript's own `JSON.stringify` would not write. */
const RAW_VALUES = [
  "1e400",
  "-1e400",
  "9007199254740993",
  "123456789012345678901234567890",
  "0.1000000000000000055511151231257827",
  '"\\ud800"',
  '"\\u0000"',
  '"caf\u00e9 \u{1f600} \u202e"',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"a":1,"a":2}',
  nested(60, "[", "]"),
  nested(65, "[", "]"),
  nested(3_000, "[", "]"),
  `${'{"a":'.repeat(9_000)}1${"}".repeat(9_000)}`,
  `"${"y".repeat(66_000)}"`,
  `[${"0,".repeat(20_000)}0]`,
  `{${Array.from({ length: 3_000 }, (_, n) => `"k${n}":0`).join(",")}}`,
] as const;

const MARK = "\u0001mutated\u0001";

/**
 * Text of a document in which one value, chosen at random, is replaced by something that a parser, a schema or storage may
 * stumble over; now and then the text itself is broken.
 */
export function mutate(document: unknown, rng: Rng): string {
  if (rng.next() < 0.05) return broken(JSON.stringify(document) ?? "", rng);
  const copy: unknown = structuredClone(document);
  const places = placesIn(copy);
  const place = places[rng.between(0, Math.max(0, places.length - 1))];
  if (place === undefined) return rng.pick(RAW_VALUES);
  const { holder, key } = place;
  const kind = rng.between(0, 4);
  if (kind === 0 && !Array.isArray(holder)) {
    delete holder[key];
    return JSON.stringify(copy);
  }
  if (kind === 1) {
    const others = [null, true, -1, "", [], {}, "x", 1e9, [[]], { a: {} }] as const;
    holder[key] = rng.pick(others);
    return JSON.stringify(copy);
  }
  if (kind === 2 && !Array.isArray(holder)) {
    holder[rng.pick(["extra", "__proto__x", "toString", "", "a/b~c", "k".repeat(300)])] = holder[key];
    return JSON.stringify(copy);
  }
  holder[key] = MARK;
  return JSON.stringify(copy).replace(JSON.stringify(MARK), () => rng.pick(RAW_VALUES));
}

function broken(text: string, rng: Rng): string {
  switch (rng.between(0, 4)) {
    case 0:
      return text.slice(0, rng.between(0, text.length));
    case 1:
      return `\ufeff${text}`;
    case 2:
      return `${text}${text}`;
    case 3:
      return text.replaceAll('"', "'");
    default:
      return text.replaceAll("{", "{ \u0000");
  }
}

type Holder = Record<string | number, unknown>;

function placesIn(value: unknown, depth = 0): { holder: Holder; key: string | number }[] {
  if (typeof value !== "object" || value === null || depth > 8) return [];
  const holder = value as Holder;
  return Object.keys(holder).flatMap((key) => [
    { holder, key: Array.isArray(value) ? Number(key) : key },
    ...placesIn(holder[key], depth + 1),
  ]);
}
