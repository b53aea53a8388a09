import { DurableObject } from "cloudflare:workers";

/**
 * The least that a log and a queue can be on this runtime: frames are parsed, what arrives together is one row of one
 * transaction, nobody is answered before the row is written, and that is all. No deduplication, no validation, no names, no
 * retention, no retries of tasks, no flow control. It speaks as much of the edge's frames as the benches need, so that the
 * same clients measure both. Nothing but the benches uses this file.
 */
class Floor extends DurableObject {
  #group = [];
  #gathering = false;

  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, body TEXT NOT NULL)");
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  fetch(request) {
    // It has no settings.
    if (request.headers.get("upgrade") === null) return new Response("{}");
    const [client, server] = Object.values(new WebSocketPair());
    this.ctx.acceptWebSocket(server);
    const protocol = request.headers.get("sec-websocket-protocol");
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: protocol === null ? {} : { "sec-websocket-protocol": protocol },
    });
  }

  webSocketMessage(socket, text) {
    const message = JSON.parse(text);
    for (const frame of Array.isArray(message) ? message : [message]) this.take(socket, frame);
  }

  /** @param frame - commits once enough frames wait, or at the end of a turn */
  gather(socket, frame) {
    this.#group.push({ socket, frame });
    if (this.#group.length >= 40 || (frame.signals?.length ?? 0) * this.#group.length >= 256) return this.#commit();
    if (this.#gathering) return;
    this.#gathering = true;
    queueMicrotask(() => {
      // One that comes alone is answered at once; those that come meanwhile share the next transaction.
      if (this.#group.length > 0) this.#commit();
      setTimeout(() => {
        this.#gathering = false;
        if (this.#group.length > 0) this.#commit();
      }, 0);
    });
  }

  #commit() {
    const group = this.#group;
    this.#group = [];
    const answers = this.ctx.storage.transactionSync(() => this.commit(group));
    for (const [socket, texts] of answers) {
      if (socket.readyState === WebSocket.OPEN) for (const text of texts) socket.send(text);
    }
  }

  insert(body) {
    this.ctx.storage.sql.exec("INSERT INTO rows (body) VALUES (?)", body);
  }
}

/** Keeps signals in order and sends them to every subscriber. */
export class FloorLog extends Floor {
  #seq = 0;
  #subscribers = new Set();

  take(socket, frame) {
    if (frame.type === "append") this.gather(socket, frame);
    else if (frame.type === "subscribe") {
      this.#subscribers.add(socket);
      socket.send(`{"type":"signals","last":${this.#seq},"signals":[]}`);
    }
  }

  commit(group) {
    const lines = [];
    const answers = new Map();
    for (const { socket, frame } of group) {
      for (const signal of frame.signals) lines.push(JSON.stringify({ seq: ++this.#seq, ...signal }));
      const own = answers.get(socket) ?? [];
      own.push(`{"type":"appended","batch":${frame.batch},"last":${this.#seq}}`);
      answers.set(socket, own);
    }
    const joined = lines.join(",");
    this.insert(joined);
    const signals = `{"type":"signals","last":${this.#seq},"signals":[${joined}]}`;
    for (const subscriber of this.#subscribers) answers.set(subscriber, [...(answers.get(subscriber) ?? []), signals]);
    return answers;
  }

  webSocketClose(socket) {
    this.#subscribers.delete(socket);
  }
}

/** Keeps tasks in order and gives each to a worker that has room. */
export class FloorQueue extends Floor {
  #number = 0;
  #waiting = new Map();
  #workers = new Map();
  #callers = new Map();

  take(socket, frame) {
    if (frame.type === "ready") {
      this.#workers.set(socket, { recipient: frame.recipient, room: frame.credit });
      this.gather(socket, { type: "ready" });
    } else this.gather(socket, frame);
  }

  commit(group) {
    const answers = new Map();
    const say = (socket, text) => answers.set(socket, [...(answers.get(socket) ?? []), text]);
    const put = (task) => {
      const tasks = this.#waiting.get(task.recipient) ?? [];
      tasks.push(task);
      this.#waiting.set(task.recipient, tasks);
    };
    const written = [];
    for (const { socket, frame } of group) {
      if (frame.type === "enqueue") {
        for (const task of frame.tasks) put({ ...task, task_id: `t${++this.#number}`, lease_id: `l${this.#number}` });
        say(socket, `{"type":"enqueued","batch":${frame.batch},"tasks":[]}`);
      } else if (frame.type === "call") {
        this.#callers.set(frame.correlation_id, socket);
        const { correlation_id, recipient, payload } = frame;
        put({ task_id: correlation_id, lease_id: `l${++this.#number}`, correlation_id, recipient, payload });
      } else if (frame.type === "complete") {
        const worker = this.#workers.get(socket);
        if (worker !== undefined) worker.room += frame.tasks.length;
        for (const { task_id, result } of frame.tasks) {
          const caller = this.#callers.get(task_id);
          if (caller === undefined) continue;
          this.#callers.delete(task_id);
          say(caller, JSON.stringify({ type: "reply", correlation_id: task_id, result }));
        }
        say(socket, JSON.stringify({ type: "done", tasks: frame.tasks.map(({ task_id }) => ({ task_id })) }));
      }
      if (frame.type !== "ready") written.push(frame);
    }
    if (written.length > 0) this.insert(JSON.stringify(written));
    for (const [socket, worker] of this.#workers) {
      const tasks = this.#waiting.get(worker.recipient);
      if (tasks === undefined || tasks.length === 0 || worker.room === 0) continue;
      const given = tasks.splice(0, worker.room);
      worker.room -= given.length;
      say(socket, JSON.stringify({ type: "tasks", tasks: given }));
    }
    return answers;
  }

  webSocketClose(socket) {
    this.#workers.delete(socket);
  }
}

export default {
  fetch(request, env) {
    const [, , ecosystem, kind, name] = new URL(request.url).pathname.split("/");
    if (kind === "queues") return env.QUEUE.getByName(`${ecosystem}/${name}`).fetch(request);
    return env.LOG.getByName(ecosystem).fetch(request);
  },
};
