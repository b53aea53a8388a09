import { notifySocket } from "../local-agent/base/systemd/notify-socket.ts";

/**
 * Tells the service manager that started the edge, where one did, about its state (sd_notify(3)). An edge that cannot do so
 * runs all the same; the manager gives it up after its own time.
 */
export async function notifyManager(lines: readonly string[]): Promise<void> {
  const address = process.env.NOTIFY_SOCKET;
  if (!address) return;
  try {
    const send = await notifySocket(address);
    await send(lines.join("\n"));
  } catch (error) {
    console.error(`systemd: the service manager was not notified: ${String(error)}`);
  }
}
