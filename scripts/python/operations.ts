import { isPythonName, type Schema, TypeWriter } from "./type-writer.ts";

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: Schema;
  readonly description?: string;
}

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>;

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** Operations that the Python client does not have, with the reason. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  openLink: "the WebSocket of a host's agent, which is a program of its own",
  mcp: "the Model Context Protocol, for which there are clients",
  receiveWebhook: "called by other services, which sign what they send",
  beginSession: "the browser's sign-in, which answers with a cookie",
  getCurrentSession: "about the cookie of a browser",
  endCurrentSession: "about the cookie of a browser",
};
/** Operations that are no call with one answer, and the hand-written method that has them. */
const BY_HAND: Readonly<Record<string, string>> = {
  streamSignals: "follow",
  openWorkChannel: "worker",
  openLockChannel: "lock",
};

const HEAD = `"""%s Made by scripts/write-python.ts from the API's description: edit nothing here."""`;
/** The longest line that a reader of the module has to scroll for. */
const WIDTH = 120;
const PATH_NAMES: Readonly<Record<string, string>> = { q: "queue", eco: "ecosystem" };

/** The modules of the Python client that follow from the description of the API, by their paths below python/src/ganglion. */
export function pythonModules(api: OpenApi): Readonly<Record<string, string>> {
  const types = new TypeWriter();
  for (const [name, schema] of Object.entries(api.components.schemas)) {
    if (!name.startsWith("Facts.")) types.define(name, schema);
  }
  const methods = operationsOf(api).map((each) => new Method(each, types));
  return { "_operations.py": operationsModule(methods), "types.py": typesModule(types) };
}

function operationsOf({ paths }: OpenApi) {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { operationId }]) => !(operationId in LEFT_OUT) && !(operationId in BY_HAND))
      .map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
}

function typesModule({ definitions }: TypeWriter): string {
  return [
    HEAD.replace("%s", "What the API takes and gives, as typed dictionaries."),
    "from __future__ import annotations\n\nfrom typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict\n",
    "if TYPE_CHECKING:\n    from typing_extensions import NotRequired\n",
    "",
    [...definitions.values()].join("\n\n\n"),
    "",
  ].join("\n");
}

function operationsModule(methods: readonly Method[]): string {
  return [
    HEAD.replace("%s", "Every operation of the HTTP API as a method."),
    "from __future__ import annotations\n",
    "from typing import TYPE_CHECKING, Any, Awaitable, Callable, Literal, Sequence\n",
    "from ._core.operation import Operation, Time\n",
    "if TYPE_CHECKING:\n    from . import types\n",
    '__all__ = ["BY_HAND", "LEFT_OUT", "AsyncOperations", "Operations"]\n',
    `LEFT_OUT = ${pythonDict(LEFT_OUT)}`,
    '"""Operations that this client does not have, with the reason."""\n',
    `BY_HAND = ${pythonDict(BY_HAND)}`,
    '"""Operations that are no call with one answer, and the method of the client that has them."""\n',
    ...methods.map((method) => method.constant()),
    "\n",
    `class Operations:
    """Calls by the names of the API's operations; each waits for its answer."""

    __slots__ = ("_perform",)

    def __init__(self, perform: Callable[[Operation, dict[str, Any], dict[str, Any], Any], Any]) -> None:
        self._perform = perform`,
    ...methods.map((method) => method.written(false)),
    "\n",
    `class AsyncOperations:
    """Calls by the names of the API's operations, for asyncio."""

    __slots__ = ("_perform",)

    def __init__(self, perform: Callable[[Operation, dict[str, Any], dict[str, Any], Any], Awaitable[Any]]) -> None:
        self._perform = perform`,
    ...methods.map((method) => method.written(true)),
    "",
  ].join("\n");
}

const pythonDict = (entries: Readonly<Record<string, string>>): string =>
  [
    "{",
    ...Object.entries(entries).map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)},`),
    "}",
  ].join("\n");

/** One operation as Python code. */
class Method {
  readonly #name: string;
  readonly #constant: string;
  readonly #line: string;
  readonly #signature: string[];
  readonly #path: string[];
  readonly #query: string[];
  readonly #answer: string;
  readonly #doc: string;
  readonly #body: string;

  constructor({ path, method, operation }: ReturnType<typeof operationsOf>[number], types: TypeWriter) {
    const { operationId, parameters = [], requestBody, responses } = operation;
    this.#name = snake(operationId);
    this.#constant = `_${this.#name.toUpperCase()}`;
    this.#doc = (operation.summary ?? operationId).replace(/\.$/, "");
    const base = operationId[0]?.toUpperCase() + operationId.slice(1);
    const inPath = parameters.filter(({ in: place, name }) => place === "path" && name !== "eco");
    const inQuery = parameters.filter(({ in: place }) => place === "query");
    const body = bodyOf(requestBody, types, base);
    const taken = new Set(inPath.map(({ name }) => pathName(name)));
    const queryName = (name: string) => (taken.has(pythonName(name)) ? `${name}_` : pythonName(name));
    const answer = answerOf(responses, types, base);
    this.#answer = answer.type;
    this.#path = inPath.map(({ name }) => `${JSON.stringify(name)}: ${pathName(name)}`);
    this.#query = inQuery.map(({ name }) => `${JSON.stringify(name)}: ${queryName(name)}`);
    this.#body = body === undefined ? "None" : "body";
    this.#signature = [
      ...inPath.map(({ name }) => `${pathName(name)}: str`),
      ...(body === undefined ? [] : [`body: ${body.type}${body.required ? "" : " | None = None"}`]),
      ...(inQuery.length === 0 ? [] : ["*"]),
      ...inQuery
        .toSorted((a, b) => Number(b.required === true) - Number(a.required === true))
        .map(({ name, schema, required }) => {
          const type = queryType(schema, types.typeOf(schema, base));
          return `${queryName(name)}: ${type}${required === true ? "" : " | None = None"}`;
        }),
    ];
    const keyed = parameters.some(({ name }) => name === "Idempotency-Key");
    const options = [
      ...(keyed ? ["keyed=True"] : []),
      ...(body !== undefined && body.media !== "application/json" ? [`media=${JSON.stringify(body.media)}`] : []),
      ...(answer.text ? ["text=True"] : []),
    ];
    this.#line = [JSON.stringify(operationId), JSON.stringify(method), JSON.stringify(path), ...options].join(", ");
  }

  constant(): string {
    return `${this.#constant} = Operation(${this.#line})`;
  }

  written(waits: boolean): string {
    const call = `${waits ? "await " : ""}self._perform(${this.#constant}, {${this.#path.join(", ")}}, {${this.#query.join(", ")}}, ${this.#body})`;
    const lines =
      this.#answer === "None"
        ? [`        ${call}`]
        : [`        answer: ${this.#answer} = ${call}`, "        return answer"];
    const head = `    ${waits ? "async " : ""}def ${this.#name}(${["self", ...this.#signature].join(", ")}) -> ${this.#answer}:`;
    const folded =
      head.length <= WIDTH
        ? head
        : [
            `    ${waits ? "async " : ""}def ${this.#name}(`,
            ...["self", ...this.#signature].map((each) => `        ${each},`),
            `    ) -> ${this.#answer}:`,
          ].join("\n");
    return ["", folded, `        """${this.#doc}."""`, ...lines].join("\n");
  }
}

function bodyOf(body: Operation["requestBody"], types: TypeWriter, base: string) {
  const [first] = Object.entries(body?.content ?? {});
  if (body === undefined || first === undefined) return undefined;
  const [media, { schema = {} }] = first;
  const type = media === "application/json" ? qualified(types.typeOf(schema, `${base}Body`), types) : "str";
  return { media, type, required: body.required !== false };
}

/** Where two answers are possible, both. Of two media the first is what a client gets that names none. */
function answerOf(responses: Operation["responses"], types: TypeWriter, base: string) {
  const contents = Object.entries(responses)
    .filter(([status]) => status.startsWith("2"))
    .map(([, { content = {} }]) => Object.entries(content)[0]);
  const text = contents.some((content) => content?.[0].startsWith("text/") === true);
  if (text) return { type: "str", text };
  const each = contents.map((content) =>
    content === undefined ? "None" : qualified(types.typeOf(content[1].schema ?? {}, `${base}Answer`), types),
  );
  return { type: [...new Set(each)].join(" | ") || "None", text };
}

/** A type with its definitions found in the module `types`. */
function qualified(type: string, { definitions }: TypeWriter): string {
  return type.replace(/"[^"]*"|[A-Za-z_]\w*/g, (word) => (definitions.has(word) ? `types.${word}` : word));
}

/** A single text may be given for a list; a time may be a number of seconds. */
function queryType({ format }: Schema, type: string): string {
  if (format === "date-time") return "Time";
  return type === "list[str]" ? "str | Sequence[str]" : type;
}

const snake = (text: string): string => text.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const pathName = (name: string): string => pythonName(PATH_NAMES[name] ?? name);
const pythonName = (name: string): string => (isPythonName(name) ? name : `${name}_`);
