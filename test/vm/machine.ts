import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

export interface Answer {
  /** `null`: its time was up. */
  readonly code: number | null;
  /** Standard output and error together, without the last line break. */
  readonly output: string;
}

export interface MachineOptions {
  /** `disk.img`, `vmlinuz` and `initrd`. */
  readonly image: string;
  /** A tar, unpacked in the machine's root. */
  readonly bundle: string;
  readonly accelerator: string;
  /** For the console's log and the socket. */
  readonly directory: string;
  /** Words for the kernel's command line. */
  readonly kernel?: string;
}

/** Until a machine is up; in software, on a busy computer, that takes a minute. */
const BOOT_MS = 400_000;
const COMMAND_SECONDS = 600;

/** A virtual machine with a systemd of its own, which does what it is told over a serial port. Its disk is thrown away. */
export class Machine {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #ups: (() => void)[] = [];
  #port: Socket | undefined;
  #last = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async boot({ image, bundle, accelerator, directory, kernel = "" }: MachineOptions): Promise<Machine> {
    const port = join(directory, "port");
    const log = openSync(join(directory, "console.log"), "a");
    const disk = (file: string, more: string) => ["-drive", `file=${file},format=raw,if=virtio,${more}`];
    const child = spawn(
      "qemu-system-x86_64",
      [
        ...["-accel", accelerator, "-cpu", "max", "-smp", "2", "-m", "2048", "-nographic", "-nodefaults"],
        ...["-kernel", join(image, "vmlinuz"), "-initrd", join(image, "initrd")],
        ...["-append", `console=ttyS0 root=/dev/vda rw panic=-1 mitigations=off quiet ${kernel}`],
        ...disk(join(image, "disk.img"), "snapshot=on,discard=unmap"),
        ...disk(bundle, "readonly=on"),
        ...["-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="],
        ...["-serial", "stdio", "-device", "virtio-serial-pci"],
        ...["-chardev", `socket,id=port,path=${port},server=on,wait=off`],
        ...["-device", "virtserialport,chardev=port,name=ganglion"],
      ],
      { stdio: ["ignore", log, log] },
    );
    const machine = new Machine(child);
    const up = machine.#up();
    machine.#port = await machine.#connect(port);
    await up;
    return machine;
  }

  /** Runs `command` as root in a shell. */
  async run(command: string, { seconds = COMMAND_SECONDS } = {}): Promise<Answer> {
    const id = ++this.#last;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    // In software most of what a command takes is the time in which Node reads itself.
    const cached = `export NODE_COMPILE_CACHE=/var/cache/node; ${command}`;
    this.#port?.write(`${JSON.stringify({ id, command: cached, seconds })}\n`);
    return this.#orEnd(answered);
  }

  /** What `command` prints. @throws Error with that, where it fails */
  async text(command: string, options: { seconds?: number } = {}): Promise<string> {
    const { code, output } = await this.run(command, options);
    if (code === 0) return output;
    throw new Error(`${command}\n${code === null ? "was not done in time" : `ended with ${code}`}:\n${output}`);
  }

  /** @param how - how it is told, default `systemctl reboot` */
  async reboot(how = "systemctl reboot"): Promise<void> {
    const bootId = () => this.run("cat /proc/sys/kernel/random/boot_id", { seconds: 5 });
    const { output: before } = await bootId();
    void this.run(how);
    // What is said to a machine on its way down or up is not answered, nor is its own word heard for certain.
    const deadline = performance.now() + BOOT_MS;
    for (let now = before; now === before; ) {
      if (performance.now() > deadline) throw new Error("the machine did not come up again: see console.log");
      const answer = await Promise.race([bootId(), pause(5_000)]);
      if (answer?.code === 0) now = answer.output;
    }
    this.#waiting.clear();
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  #up(): Promise<void> {
    const up = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("the machine did not come up: see console.log")), BOOT_MS);
      this.#ups.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    return this.#orEnd(up);
  }

  async #orEnd<T>(promise: Promise<T>): Promise<T> {
    const stop = new AbortController();
    const ended = once(this.#child, "exit", { signal: stop.signal }).then(() => {
      throw new Error("qemu has ended: see console.log");
    });
    ended.catch(() => undefined);
    return Promise.race([promise, ended]).finally(() => stop.abort());
  }

  async #connect(path: string): Promise<Socket> {
    for (;;) {
      const socket = connect(path);
      try {
        await this.#orEnd(once(socket, "connect"));
      } catch (error) {
        // qemu is not that far yet.
        if (!["ENOENT", "ECONNREFUSED"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
        await pause(50);
        continue;
      }
      createInterface({ input: socket }).on("line", (line) => this.#heard(line));
      return socket;
    }
  }

  #heard(line: string): void {
    const { id, code, output } = JSON.parse(line) as Answer & { id: number };
    if (id === 0) for (const up of this.#ups.splice(0)) up();
    this.#waiting.get(id)?.({ code, output: output.trimEnd() });
    this.#waiting.delete(id);
  }
}
