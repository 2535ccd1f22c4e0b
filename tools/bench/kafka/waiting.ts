import { setTimeout as sleep } from 'node:timers/promises';
import { probeOf, type Receiver, TOPICS } from './messages.ts';

const PROBE_EVERY_MS = 100;
const READY_WITHIN_MS = 30_000;

/** Publishes probes until every receiver gets every topic: only later messages count. */
export async function whenReady(
  receivers: readonly Receiver[],
  publish: (topic: string, message: object) => Promise<unknown>,
): Promise<void> {
  for (const deadline = performance.now() + READY_WITHIN_MS; !receivers.every(({ isReady }) => isReady); ) {
    if (performance.now() > deadline) throw new Error('not every topic reaches every receiver');
    const topics = Array.from({ length: TOPICS }, (_, topic) => topic);
    await Promise.all(topics.map((topic) => publish(`bench.t${topic}`, probeOf(topic))));
    await sleep(PROBE_EVERY_MS);
  }
}

/** Calls `tick` every few milliseconds until it returns true. @throws after `withinMs` */
export async function until(what: string, tick: () => boolean, withinMs: number): Promise<void> {
  for (const deadline = performance.now() + withinMs; !tick(); await sleep(2)) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
  }
}

/** Calls `send` with the due numbers, at a rate of `perSecond`, from 0 up to `total`. */
export async function pace(
  perSecond: number,
  total: number,
  send: (from: number, end: number) => void,
): Promise<void> {
  const startedAt = performance.now();
  for (let next = 0; next < total; await sleep(1)) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) * perSecond) / 1_000));
    if (due === next) continue;
    send(next, due);
    next = due;
  }
}

/** Any failure fails the bench: the speed of a wrong result has no meaning. */
export function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}
