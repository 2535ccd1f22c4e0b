import { METHODS } from '@esdb-gater/protocol';
import { expect, test } from 'vitest';
import { createFacade } from './facade.ts';

test('every method of the protocol is a method of the client', async () => {
  const called: string[] = [];
  const facade = createFacade(async (method) => {
    called.push(method);
    return {} as never;
  });
  const names = Object.keys(facade);
  expect([...names, 'subscribe', 'saveSubscription'].sort()).toEqual(Object.keys(METHODS).sort());
  for (const name of names) await (facade as unknown as Record<string, () => Promise<unknown>>)[name]?.();
  expect(called).toEqual(names);
});
