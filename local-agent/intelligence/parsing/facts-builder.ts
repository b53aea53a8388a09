import type {
  CallableFacts,
  ClassFacts,
  FileFacts,
  Issue,
  Language,
} from "../../../src/core/intelligence/file-facts.ts";
import { type BranchNames, ComplexityCounter, type Counts } from "./complexity.ts";
import type { Source, SyntaxNodeRef } from "./source.ts";

/** What a class or function is called, and where it stands. */
export type ClassHead = Omit<ClassFacts, "methods">;
export type CallableHead = Omit<CallableFacts, "lines" | "cyclomatic" | "cognitive">;

interface OpenClass {
  readonly kind: "class";
  readonly facts: ClassHead & { readonly methods: CallableFacts[] };
}

interface OpenCallable {
  readonly kind: "callable";
  readonly head: CallableHead;
  readonly counts: Counts;
  readonly restore: () => void;
}

/** Most distinct words that are told apart: a generated table must not fill the memory. */
const MAX_DISTINCT = 20_000;
/** Transactions and metrics are recognised by the names that programs call them. */
const TRANSACTION =
  /^(?:(?:begin|start|open|with|in|run_in|end|commit|rollback|nested)_?)?(?:transaction|savepoint)s?$|^(?:begin|commit|rollback|atomic)$|^mixin_?transaction$/i;
const METRIC =
  /^(?:counter|histogram|gauge|metrics?|statsd|timer|observe|mixin_?metrics|(?:record|track|emit|observe|report)_(?:metrics?|duration|latency|count)s?|metrics?_(?:collector|tracker|registry))$/i;

/** Gathers what is found while the tree of one file is walked. Each language says what its nodes mean. */
export class FactsBuilder {
  readonly source: Source;
  readonly #language: Language;
  readonly #complexity: ComplexityCounter;
  readonly #open: (OpenClass | OpenCallable)[] = [];
  readonly #module: Counts = { cyclomatic: 1, cognitive: 0 };
  readonly #classes: OpenClass["facts"][] = [];
  readonly #functions: CallableFacts[] = [];
  readonly #imports = new Set<string>();
  readonly #transactions = new Set<string>();
  readonly #metrics = new Set<string>();
  readonly #caught = new Set<string>();
  readonly #words = new Set<string>();
  readonly issues: Issue[] = [];
  documentation: string | undefined;
  tries = 0;
  bare = 0;
  raises = 0;
  finally = 0;
  #tokens = 0;

  constructor(source: Source, language: Language, branches: BranchNames) {
    this.source = source;
    this.#language = language;
    this.#complexity = new ComplexityCounter(branches, source.text);
  }

  /** Whether the walk is inside of a function: what is declared there is a detail of that function. */
  get insideCallable(): boolean {
    return this.#open.some(({ kind }) => kind === "callable");
  }

  openClass(head: ClassHead): void {
    const facts = { ...head, methods: [] };
    this.#classes.push(facts);
    for (const base of head.bases) this.word(base);
    this.#open.push({ kind: "class", facts });
  }

  openCallable(head: CallableHead): void {
    const counts = { cyclomatic: 1, cognitive: 0 };
    this.#open.push({ kind: "callable", head, counts, restore: this.#complexity.begin() });
  }

  /** @param to - where the class or function ends */
  close(to: number): void {
    const closed = this.#open.pop();
    if (closed?.kind !== "callable") return;
    const { head, counts, restore } = closed;
    restore();
    const lines = this.source.lineAt(Math.max(0, to - 1)) - head.line + 1;
    const callable: CallableFacts = { ...head, lines, cyclomatic: counts.cyclomatic, cognitive: counts.cognitive };
    const outer = this.#open.at(-1);
    if (outer?.kind === "class") outer.facts.methods.push(callable);
    else this.#functions.push(callable);
  }

  enter(node: SyntaxNodeRef): void {
    const callable = this.#open.findLast((each) => each.kind === "callable");
    this.#complexity.enter(node, callable?.counts ?? this.#module);
  }

  leave(node: SyntaxNodeRef): void {
    this.#complexity.leave(node);
  }

  /** A node without children: an operator or an operand. */
  token(text: string): void {
    this.#tokens += 1;
    if (this.#words.size < MAX_DISTINCT) this.#words.add(text.slice(0, 64));
  }

  /** A name that is used. */
  word(name: string): void {
    if (TRANSACTION.test(name)) this.#transactions.add(name);
    if (METRIC.test(name)) this.#metrics.add(name);
  }

  imports(name: string): void {
    if (name !== "") this.#imports.add(name.slice(0, 200));
  }

  /** Kinds of errors that a handler names; none, or one that stands for all: the handler is broad. */
  catches(kinds: readonly string[]): void {
    if (kinds.length === 0) this.bare += 1;
    for (const kind of kinds) this.#caught.add(kind.slice(0, 200));
  }

  issue(rule: string, kind: Issue["kind"], message: string, place: number): void {
    this.issues.push({ rule, kind, message, line: this.source.lineAt(place) });
  }

  finish(): FileFacts {
    const callables = [...this.#classes.flatMap(({ methods }) => methods), ...this.#functions];
    const sum = (of: "cyclomatic" | "cognitive") => callables.reduce((total, each) => total + each[of], 0);
    return {
      language: this.#language,
      documentation: this.documentation,
      imports: [...this.#imports],
      classes: this.#classes,
      functions: this.#functions,
      errorHandling: {
        tries: this.tries,
        caught: [...this.#caught],
        bare: this.bare,
        raises: this.raises,
        finally: this.finally,
      },
      transactions: [...this.#transactions],
      metrics: [...this.#metrics],
      figures: {
        totalLines: this.source.lines,
        codeLines: this.source.filledLines,
        // The module's own way counts where the file is not functions alone.
        cyclomatic:
          sum("cyclomatic") + (callables.length === 0 ? this.#module.cyclomatic : this.#module.cyclomatic - 1),
        cognitive: sum("cognitive") + this.#module.cognitive,
        maxNesting: this.#complexity.deepest,
        tokens: this.#tokens,
        distinctTokens: this.#words.size,
      },
      issues: this.issues,
    };
  }
}
