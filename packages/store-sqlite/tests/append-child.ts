/**
 * A process that appends until it is killed. Arguments: file, writers, appends of each writer, flush.
 *
 * Each acknowledged append is one line on standard output, written at once: what the parent has read was acknowledged.
 */
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openSqliteStore } from '@esdb-gater/store-sqlite';

const [, , file = '', writers = '1', appends = '1', flush = 'commit'] = process.argv;
const store = await openSqliteStore({ storeId: 'main', file, flush: flush as 'commit' });
say({ ready: true });

/** Writes a line before it returns. A pipe that is full, as its reader is slow, takes it later. */
function say(line: object): void {
  let rest = Buffer.from(`${JSON.stringify(line)}\n`);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

async function write(writer: number): Promise<void> {
  const streamId = `stream-${writer % 10}`;
  for (let index = 0; index < Number(appends); index += 1) {
    const batch = randomUUID();
    const count = 1 + (index % 3);
    const events = Array.from({ length: count }, () => ({
      id: randomUUID(),
      type: 'written',
      data: { batch, count, text: 'x'.repeat(100) },
    }));
    const { version, position } = await store.appendEvents({ storeId: 'main', streamId, events });
    say({ streamId, version, position, ids: events.map((event) => event.id) });
  }
}

await Promise.all(Array.from({ length: Number(writers) }, (_, writer) => write(writer)));
await store.close();
