/**
 * Finds where a text stops being JSON. `JSON.parse` names the position only for some mistakes and quotes the text for the
 * others, and a caller's text, which may hold secrets, must not stand in an error.
 *
 * Works without recursion, so that a million opening brackets cost memory and do not exhaust the stack.
 *
 * @returns for example `line 3, column 14: expected , or }`, or `undefined` for a text that is JSON
 */
export function describeMalformedJson(text: string): string | undefined {
  const fault = findFault(text);
  if (fault === undefined) return undefined;
  const before = text.slice(0, fault.offset);
  const line = before.split("\n").length;
  const column = fault.offset - before.lastIndexOf("\n");
  const found = fault.offset >= text.length ? ", but the text ends" : "";
  return `line ${line}, column ${column}: expected ${fault.expected}${found}`;
}

interface Fault {
  readonly offset: number;
  readonly expected: string;
}

const SPACE = /[ \t\n\r]*/y;
const LITERAL = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

function findFault(text: string): Fault | undefined {
  const open: ("{" | "[")[] = [];
  let offset = 0;
  /** The next token allowed. `first`: a value or key, or the closing bracket. */
  let next: "value" | "first" | "key" | "end" = "value";
  for (;;) {
    offset = endOf(SPACE, text, offset);
    const inside = open.at(-1);
    const char = text[offset];
    if (next === "end") {
      if (inside === undefined) return offset === text.length ? undefined : { offset, expected: "nothing more" };
      if (char === ",") next = inside === "{" ? "key" : "value";
      else if (char === close(inside)) open.pop();
      else return { offset, expected: `, or ${close(inside)}` };
      offset += 1;
      continue;
    }
    if (next === "first" && inside !== undefined && char === close(inside)) {
      open.pop();
      offset += 1;
      next = "end";
      continue;
    }
    if (next === "key" || (next === "first" && inside === "{")) {
      if (char !== '"') return { offset, expected: 'a name in "double quotes"' };
      const end = endOfString(text, offset);
      if (typeof end !== "number") return end;
      offset = endOf(SPACE, text, end);
      if (text[offset] !== ":") return { offset, expected: ":" };
      offset += 1;
      next = "value";
      continue;
    }
    if (char === "{" || char === "[") {
      open.push(char);
      offset += 1;
      next = "first";
      continue;
    }
    const end = char === '"' ? endOfString(text, offset) : endOf(LITERAL, text, offset);
    if (typeof end !== "number") return end;
    if (end === offset) return { offset, expected: "a value" };
    offset = end;
    next = "end";
  }
}

function close(bracket: "{" | "["): string {
  return bracket === "{" ? "}" : "]";
}

/** @returns the end of the match that starts exactly at `offset`; `offset` itself where nothing matches. */
function endOf(pattern: RegExp, text: string, offset: number): number {
  pattern.lastIndex = offset;
  return pattern.test(text) ? pattern.lastIndex : offset;
}

function endOfString(text: string, start: number): number | Fault {
  for (let offset = start + 1; ; offset++) {
    const char = text[offset];
    if (char === undefined) return { offset: text.length, expected: 'a closing "' };
    if (char === '"') return offset + 1;
    if (char < " ") return { offset, expected: "control characters written as escapes" };
    if (char !== "\\") continue;
    offset += 1;
    if (text[offset] === "u") {
      if (!/^[0-9a-fA-F]{4}$/.test(text.slice(offset + 1, offset + 5)))
        return { offset, expected: "four hex digits after \\u" };
      offset += 4;
    } else if (!'"\\/bfnrt'.includes(text[offset] ?? "?")) {
      return { offset, expected: 'one of " \\ / b f n r t u after \\' };
    }
  }
}
