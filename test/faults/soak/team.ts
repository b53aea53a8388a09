import { atEnd } from "../../harness/cleanup.ts";
import { RunningProcess } from "../../harness/running-process.ts";

/** Some processes of one kind, each of which is started again when it has ended, whoever ended it. */
export class Team {
  readonly #script: string;
  readonly #says: RegExp;
  readonly #env: Readonly<Record<string, string>>;
  readonly #members: RunningProcess[] = [];
  readonly #killed = new Set<RunningProcess>();
  #started = 0;
  #crashes = 0;
  #running = true;

  /** @param says - a line of a member that is at work */
  constructor(script: string, says: RegExp, env: Readonly<Record<string, string>>) {
    this.#script = script;
    this.#says = says;
    this.#env = env;
  }

  /** How often members ended by themselves. */
  get crashes(): number {
    return this.#crashes;
  }

  async start(size: number): Promise<void> {
    for (let place = 0; place < size; place++) this.#begin(place);
    await Promise.all(this.#members.map((member) => member.line(this.#says)));
  }

  /** Resolves when another is at work in its place, or has ended as well. */
  async kill(place: number): Promise<void> {
    const victim = this.#members[place];
    if (victim === undefined) throw new Error(`a team of ${this.#members.length} has no member ${place}`);
    this.#killed.add(victim);
    await victim.killGroup();
    // The one in its place may end at once, by a task that ends every worker.
    await this.#members[place]?.line(this.#says).catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#members.map((member) => member.killGroup()));
  }

  #begin(place: number): void {
    const env = { ...this.#env, WORKER_NAME: `w${++this.#started}` };
    const member = new RunningProcess([this.#script], { env });
    this.#members[place] = member;
    // Before the member is killed, so that no other takes its place when the tests are over.
    atEnd(() => {
      this.#running = false;
    });
    void member.ended.then(() => {
      if (!this.#running) return;
      if (!this.#killed.delete(member)) this.#crashes++;
      this.#begin(place);
    });
  }
}
