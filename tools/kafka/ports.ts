import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ports of outgoing connections (Linux: from 32 768), so that no connection uses a port between its choice
 * here and the start of the listener.
 */
const [LOWEST, BEYOND] = [15_000, 32_000];
const ATTEMPTS = 1_000;

/** Returns `count` TCP ports of 127.0.0.1 without a listener at this moment. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let attempt = 0; ports.size < count; attempt++) {
    if (attempt === ATTEMPTS) throw new Error(`no ${count} free ports from ${LOWEST} to ${BEYOND - 1}`);
    const port = randomInt(LOWEST, BEYOND);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

/** Returns the first of `count` such ports that follow each other. */
export async function consecutiveFreePorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const first = randomInt(LOWEST, BEYOND - count);
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(first + index)));
    if (free.every(Boolean)) return first;
  }
  throw new Error(`no ${count} consecutive free ports from ${LOWEST} to ${BEYOND - 1}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
