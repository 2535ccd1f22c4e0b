import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeSuite } from '@esdb-gater/conformance';
import { createMemoryStore } from '@esdb-gater/event-store';
import type { EventStore, NewSubscription } from '@esdb-gater/types';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSubscriptionJournal, type SubscriptionJournal } from './subscription-journal.ts';

let folder = '';
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esdb-gater-journal-'));
});
afterAll(() => rm(folder, { recursive: true }));

const newFile = (): string => join(folder, 'subscriptions', `${++files}.ndjson`);

const SUBSCRIPTION: NewSubscription = {
  name: 'a',
  type: 'stream',
  selector: '$all',
  startFrom: 0,
  maxInFlight: 1,
  ackTimeoutMs: 1,
  maxRetries: 1,
  createdMs: 1,
  maker: 'm',
  checkpoint: { position: 0 },
};

const journals = new WeakMap<EventStore, { readonly journal: SubscriptionJournal; readonly file: string }>();

/** A store in memory whose subscriptions are kept in a journal. */
async function open(file: string): Promise<EventStore> {
  const journal = await openSubscriptionJournal(file, 'uuid');
  const memory = createMemoryStore({ storeId: 's' });
  const store = Object.create(memory, { subscriptionState: { value: journal.state } }) as EventStore;
  const close = async (): Promise<void> => {
    await journal.close();
  };
  Object.defineProperty(store, 'close', { value: close });
  journals.set(store, { journal, file });
  return store;
}

for (const { title, run, needs } of storeSuite({
  name: 'journal',
  open: () => open(newFile()),
  async reopen(store) {
    await store.close();
    return open(journals.get(store)?.file ?? '');
  },
})) {
  if (needs.includes('subscriptions')) test(title, run);
}

test('the journal belongs to a database: for another one it is set aside', async () => {
  const file = newFile();
  const first = await openSubscriptionJournal(file, 'one');
  await first.state.create(SUBSCRIPTION);
  await first.close();
  const other = await openSubscriptionJournal(file, 'two');
  expect(await other.state.list()).toEqual([]);
  await other.state.create(SUBSCRIPTION);
  await other.close();
  expect(await readFile(`${file}.former`, 'utf8')).toContain('"one"');
});

test('a torn last line is dropped, and what follows is written in its place', async () => {
  const file = newFile();
  const first = await openSubscriptionJournal(file, 'one');
  await first.state.create(SUBSCRIPTION);
  await first.close();
  await appendFile(file, '["saveCheckpoint","a",{"posit');
  const second = await openSubscriptionJournal(file, 'one');
  await second.state.saveCheckpoint('a', { position: 4 });
  await second.close();
  const third = await openSubscriptionJournal(file, 'one');
  expect((await third.state.load('a'))?.checkpoint).toEqual({ position: 4 });
  await third.close();
});

test('a damaged line is refused, as a checkpoint could be lost with it', async () => {
  const file = newFile();
  const first = await openSubscriptionJournal(file, 'one');
  await first.state.create(SUBSCRIPTION);
  await first.close();
  await appendFile(file, 'x\n');
  await expect(openSubscriptionJournal(file, 'one')).rejects.toMatchObject({ code: 'unavailable' });
});

test('the file stays small, however often a checkpoint is saved', async () => {
  const file = newFile();
  const journal = await openSubscriptionJournal(file, 'one');
  await journal.state.create(SUBSCRIPTION);
  const saves = Array.from({ length: 30_000 }, (_, n) =>
    journal.state.saveCheckpoint('a', { position: n + 1 }),
  );
  await Promise.all(saves);
  await journal.state.saveCheckpoint('a', { position: 40_000 });
  expect((await stat(file)).size).toBeLessThan(2_000);
  await journal.close();
});
