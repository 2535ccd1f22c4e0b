import type { Socket } from 'node:net';

/** Sends the messages of one turn in one write, as the project's client does. */
export function gather(tcp: Socket): void {
  if (tcp.writableCorked > 0) return;
  tcp.cork();
  setImmediate(() => tcp.uncork());
}
