import type { ProjectionStore, ProjectionTransaction } from '@esdb-gater/app';
import { describe, expect, test } from 'vitest';

/** A store under test, and how to write to and read from its table `counts` (`key` text, `value` integer). */
export interface StoreUnderTest<Model> {
  readonly store: ProjectionStore<Model>;
  readonly set: (model: Model, key: string, value: number) => void | Promise<void>;
  /** Returns what readers see, in the order of keys. */
  readonly read: () => Promise<readonly (readonly [key: string, value: number])[]>;
}

const NAME = 'counters';

/** The promises of `ProjectionStore`, which every adapter keeps. */
export function projectionStoreSuite<Model>(name: string, open: () => Promise<StoreUnderTest<Model>>): void {
  async function begin(store: ProjectionStore<Model>, generation: number, position: number) {
    const opened = await store.begin(NAME, generation, position);
    if (typeof opened === 'string') throw new Error(`not opened: ${opened}`);
    return opened;
  }

  describe(`a projection store: ${name}`, () => {
    test('a projection that never ran has no generations, and its first is live at once', async () => {
      const { store, read } = await open();
      expect(await store.generations(NAME)).toEqual([]);
      const first = { generation: 1, version: 3, isLive: true, position: 0 };
      expect(await store.create(NAME, 3)).toEqual(first);
      expect(await store.generations(NAME)).toEqual([first]);
      expect(await read()).toEqual([]);
    });

    test('a commit has the rows and the checkpoint, and a rollback has neither', async () => {
      const { store, set, read } = await open();
      await store.create(NAME, 1);
      const one = await begin(store, 1, 0);
      await set(one.model, 'a', 1);
      await one.commit({ position: 7, eventId: 'e7' });
      const two = await begin(store, 1, 7);
      await set(two.model, 'a', 2);
      await set(two.model, 'b', 2);
      await two.rollback();
      expect(await read()).toEqual([['a', 1]]);
      expect(await store.generations(NAME)).toEqual([
        { generation: 1, version: 1, isLive: true, position: 7, eventId: 'e7' },
      ]);
    });

    test('a checkpoint that was moved, and a generation that is gone, open no transaction', async () => {
      const { store } = await open();
      await store.create(NAME, 1);
      await (await begin(store, 1, 0)).commit({ position: 7, eventId: 'e7' });
      expect(await store.begin(NAME, 1, 0)).toBe('moved');
      expect(await store.begin(NAME, 2, 0)).toBe('replaced');
      await (await begin(store, 1, 7)).rollback();
    });

    test('a transaction waits for the one before it, and finds its checkpoint', async () => {
      const { store } = await open();
      await store.create(NAME, 1);
      const first = await begin(store, 1, 0);
      const second = store.begin(NAME, 1, 0);
      await first.commit({ position: 1, eventId: 'e1' });
      expect(await second).toBe('moved');
    });

    test('a generation is built next to the live one, unseen until the switch, which removes the old one', async () => {
      const { store, set, read } = await open();
      await store.create(NAME, 1);
      const write = async (generation: number, key: string): Promise<void> => {
        const transaction: ProjectionTransaction<Model> = await begin(store, generation, 0);
        await set(transaction.model, key, generation);
        await transaction.commit({ position: 1, eventId: 'e1' });
      };
      await write(1, 'old');
      expect(await store.create(NAME, 2)).toEqual({ generation: 2, version: 2, isLive: false, position: 0 });
      await write(2, 'new');
      expect(await read()).toEqual([['old', 1]]);
      expect(await store.switchTo(NAME, 2)).toBe(true);
      expect(await read()).toEqual([['new', 2]]);
      expect(await store.generations(NAME)).toEqual([
        { generation: 2, version: 2, isLive: true, position: 1, eventId: 'e1' },
      ]);
      expect(await store.begin(NAME, 1, 1)).toBe('replaced');
      expect(await store.switchTo(NAME, 1)).toBe(false);
    });

    test('a rebuild that was interrupted is found again, and numbers are not used twice', async () => {
      const { store } = await open();
      await store.create(NAME, 1);
      expect((await store.create(NAME, 1)).generation).toBe(2);
      expect((await store.create(NAME, 1)).generation).toBe(2);
      expect((await store.create(NAME, 4)).generation).toBe(3);
      await store.switchTo(NAME, 3);
      expect((await store.create(NAME, 4)).generation).toBe(4);
    });

    test('processes that begin at once make one generation', async () => {
      const { store } = await open();
      const made = await Promise.all([1, 2, 3, 4].map(() => store.create(NAME, 1)));
      expect(made.filter(({ isLive }) => isLive)).toHaveLength(1);
      expect((await store.generations(NAME)).length).toBeLessThanOrEqual(2);
    });
  });
}
