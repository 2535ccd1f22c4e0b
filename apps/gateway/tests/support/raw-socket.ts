import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

/** Opens a TCP connection to the gateway at `url`; errors are ignored, and `closed` resolves at its end. */
export async function openSocket(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Opens a WebSocket by hand, without a library that would answer pings or read by itself. */
export async function openWebSocket(url: string): Promise<Socket> {
  const socket = await openSocket(url);
  socket.write(
    'GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n',
  );
  await once(socket, 'readable');
  return socket;
}

/** Returns a frame of a client, with a mask of zeros. */
export function clientFrame(payload: string | Uint8Array, { opcode = 1, fin = true } = {}): Buffer {
  const bytes = Buffer.from(payload);
  const { length } = bytes;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = (fin ? 0x80 : 0) | opcode;
  if (length < 126) head[1] = 0x80 | length;
  else if (length < 65_536) {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, Buffer.alloc(4), bytes]);
}

/** Writes `chunk` repeatedly until the other side has not read for `stalledMs`, or `maxBytes` are written. */
export async function writeUntilStalled(
  socket: Socket,
  chunk: Uint8Array,
  maxBytes: number,
  stalledMs = 500,
): Promise<'stalled' | 'taken' | 'closed'> {
  let written = 0;
  while (written < maxBytes) {
    if (socket.destroyed) return 'closed';
    written += chunk.length;
    if (socket.write(chunk)) continue;
    const end = new AbortController();
    const outcome = await Promise.race([
      once(socket, 'drain', { signal: end.signal }).then(
        () => 'drained' as const,
        () => 'closed' as const,
      ),
      once(socket, 'close', { signal: end.signal }).then(
        () => 'closed' as const,
        () => 'closed' as const,
      ),
      new Promise<'stalled'>((resolve) => setTimeout(resolve, stalledMs, 'stalled')),
    ]);
    end.abort();
    if (outcome !== 'drained') return outcome;
  }
  return 'taken';
}

/** Returns the resident memory of a process in MiB. */
export function residentMib(pid: number): number {
  const [, kib = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1_024;
}
