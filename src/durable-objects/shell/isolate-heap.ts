import { HeapAccount, type HeapBytes, type HeapKind, type HeapUse } from "../../core/billing/heap-budget.ts";

/**
 * The accounts of every object that lives in this isolate: they share its memory. Held weakly, because nothing tells that
 * an object is gone.
 */
const accounts = new Set<WeakRef<HeapAccount>>();

/** The state of one object in memory, against its budgets. */
export class ObjectHeap {
  readonly #budgets: HeapBytes;
  readonly #accounts: HeapAccount[] = [];

  constructor(budgets: HeapBytes) {
    this.#budgets = budgets;
  }

  get uses(): HeapUse[] {
    return this.#accounts.map(({ use }) => use);
  }

  limit(kind: HeapKind): number {
    return this.#budgets[kind];
  }

  /** Opens the account of a kind of state. @param used - its bytes in memory, about; may be called at any time from now on */
  account(kind: HeapKind, used: () => number): HeapAccount {
    const account = new HeapAccount(kind, this.#budgets[kind], used);
    this.#accounts.push(account);
    accounts.add(new WeakRef(account));
    return account;
  }

  /** Whether the objects of the isolate take so much together that this one should take nothing new. Looks at all of them. */
  get isolateIsFull(): boolean {
    let bytes = 0;
    for (const one of accounts) {
      const account = one.deref();
      if (account === undefined) accounts.delete(one);
      else bytes += account.usedBytes;
    }
    return bytes >= this.#budgets.isolate;
  }
}
