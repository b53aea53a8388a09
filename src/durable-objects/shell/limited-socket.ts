import { logLine } from "./log-line.ts";
import { bytesOf, PLATFORM } from "./platform-limits.ts";

/**
 * Has a socket of an object refuse larger messages than the platform takes. The runtime itself refuses attachments that
 * are too large. The refusal is printed, too: who sends takes a failure for that of a reader who has gone.
 */
export function limitSocket(socket: WebSocket): WebSocket {
  const send = (message: string | ArrayBuffer | ArrayBufferView): void => {
    const bytes = bytesOf(message);
    if (bytes > PLATFORM.messageBytes) {
      const text = typeof message === "string" ? message.slice(0, 80) : "";
      const error = new Error(`a message of ${bytes} bytes where ${PLATFORM.messageBytes} are allowed: ${text}`);
      logLine("error", "limit-exceeded", { error });
      throw error;
    }
    WebSocket.prototype.send.call(socket, message);
  };
  Object.defineProperty(socket, "send", { value: send });
  return socket;
}
