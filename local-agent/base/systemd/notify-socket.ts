import { spawn } from "node:child_process";
import { cleanEnvironment } from "../process/clean-environment.ts";

/** Sends one datagram; resolves when the system has taken it. */
export type Send = (message: string) => Promise<void>;

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
/** A manager that does not read its socket must not block the agent. */
const MSG_DONTWAIT = 0x40;
/** `sun_path` of `struct sockaddr_un`. */
const MAX_PATH_BYTES = 108;

/**
 * Opens the service manager's socket (sd_notify(3)). Node has no datagrams over Unix sockets, so the C library is called,
 * which takes 0.05 ms and shows the agent itself as the sender. When it cannot be called, `systemd-notify` is run, which
 * the unit allows (NotifyAccess=all). It waits until the manager has read the message: the manager cannot assign the
 * message of an ended process to a service.
 *
 * @param address - value of `NOTIFY_SOCKET`: a path, or `@` and a name of the abstract namespace
 * @throws RangeError when the address is not that of a Unix socket
 */
export async function notifySocket(address: string): Promise<Send> {
  const target = socketAddress(address);
  try {
    return await throughLibrary(target);
  } catch {
    return throughCommand(address);
  }
}

/** `struct sockaddr_un` */
function socketAddress(address: string): Buffer {
  const path = Buffer.from(address);
  if (!/^[/@]./.test(address) || path.length >= MAX_PATH_BYTES)
    throw new RangeError("NOTIFY_SOCKET is not the address of a Unix socket");
  if (address.startsWith("@")) path[0] = 0;
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, path, ...(address.startsWith("@") ? [] : [Buffer.alloc(1)])]);
}

async function throughLibrary(target: Buffer): Promise<Send> {
  // Loaded on demand: an agent without a service manager does not need the library.
  const { default: koffi } = await import("koffi");
  const libc = koffi.load("libc.so.6");
  const socket = libc.func("int socket(int domain, int type, int protocol)");
  const sendto = libc.func(
    "long sendto(int fd, const void *buf, size_t len, int flags, const void *addr, unsigned int addrlen)",
  );
  const close = libc.func("int close(int fd)");
  return async (message) => {
    const fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) as number;
    if (fd < 0) throw new Error(`a socket cannot be created (errno ${koffi.errno()})`);
    try {
      const body = Buffer.from(message);
      const sent = sendto(fd, body, body.length, MSG_NOSIGNAL | MSG_DONTWAIT, target, target.length) as number;
      if (sent < 0) throw new Error(`the service manager cannot be notified (errno ${koffi.errno()})`);
    } finally {
      close(fd);
    }
  };
}

function throughCommand(address: string): Send {
  return (message) =>
    new Promise((resolve, reject) => {
      const child = spawn("systemd-notify", message.split("\n"), {
        stdio: "ignore",
        env: cleanEnvironment(process.env, { NOTIFY_SOCKET: address }),
      });
      child.once("error", reject);
      child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`systemd-notify ended with ${code}`))));
    });
}
