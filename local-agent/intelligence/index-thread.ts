import { parentPort, workerData } from "node:worker_threads";
import type { CodeRequest } from "../../src/core/intelligence/request.ts";
import { type Answerer, answerRequest, type HostAnswer } from "./answer-request.ts";
import { CodeIndex } from "./code-index.ts";
import { IndexStore } from "./index-store.ts";
import { RequestFailed } from "./request-failed.ts";
import type { FromThread, ThreadSettings, ToThread } from "./thread-messages.ts";

/**
 * The thread of the index: reads, parses and answers beside the agent's event loop. The agent starts it by its file, see
 * index-client.ts.
 */
const CACHED_ANSWERS = 200;
/** The state is told at most so often, in milliseconds. */
const STATE_MS = 200;

function main(port: NonNullable<typeof parentPort>, settings: ThreadSettings): void {
  const send = (message: FromThread) => port.postMessage(message);
  const store = IndexStore.open(settings.database);
  const languages = new Set(settings.languages);
  let timer: NodeJS.Timeout | undefined;
  const tell = () => {
    timer = undefined;
    const { size: files, leftOut, ready, settled, roots } = index;
    const failed = [...index.files].filter(({ error }) => error !== null).length;
    send({ kind: "state", state: { roots: roots.length, files, failed, leftOut, ready, settled } });
    if (!settled) tellSoon();
  };
  const tellSoon = () => {
    timer ??= setTimeout(tell, STATE_MS);
  };
  const index = new CodeIndex({
    roots: settings.roots,
    languages,
    ignored: new Set(settings.ignored),
    maxFiles: settings.maxFiles,
    store,
    warn: (message) => send({ kind: "warning", message }),
    onChange: tellSoon,
  });
  const answers = new AnswerCache({ index, store, languages, now: () => performance.now() });
  port.on("message", (message: ToThread) => {
    if (message.kind === "ask") void answer(answers, message.id, message.request).then(send);
    else
      void index.close().then(() => {
        clearTimeout(timer);
        store.close();
        port.close();
      });
  });
  index.start();
  // What was stored can be asked about at once.
  tell();
}

async function answer(answers: AnswerCache, id: number, request: CodeRequest): Promise<FromThread> {
  try {
    return { kind: "answer", id, answer: await answers.answer(request) };
  } catch (error) {
    const { name, message } = error as Error;
    const known = error instanceof RequestFailed ? error : new RequestFailed("PATTERN_QUERY_FAILED", message);
    const { code, action, place } = known;
    return { kind: "failure", id, failure: { code, message: known.message, action, place, exception: name } };
  }
}

/** Answers to repeated requests, until anything below the roots changes. */
class AnswerCache {
  readonly #answerer: Answerer;
  readonly #answers = new Map<string, HostAnswer>();
  #generation = -1;

  constructor(answerer: Answerer) {
    this.#answerer = answerer;
  }

  async answer(request: CodeRequest): Promise<HostAnswer> {
    const { index } = this.#answerer;
    if (index.generation !== this.#generation) this.#answers.clear();
    const { generation } = index;
    this.#generation = generation;
    const key = JSON.stringify(request);
    const known = request.caching ? this.#answers.get(key) : undefined;
    if (known !== undefined) return { ...known, cache_hit: true };
    const answer = await answerRequest(request, this.#answerer);
    // The answer of an index that is still being filled would hide what comes.
    if (request.caching && index.settled && index.generation === generation) this.#keep(key, answer);
    return answer;
  }

  #keep(key: string, answer: HostAnswer): void {
    const [oldest] = this.#answers.keys();
    if (this.#answers.size >= CACHED_ANSWERS && oldest !== undefined) this.#answers.delete(oldest);
    this.#answers.set(key, answer);
  }
}

if (parentPort !== null) main(parentPort, workerData);
