import { METHOD_NAMES, METHOD_SCHEMAS } from '@esdb-gater/protocol';
import { expect, test } from 'vitest';
import { inStore, namesStore } from './in-store.ts';

test('exactly the methods whose parameters have a storeId name a store', () => {
  const have = METHOD_NAMES.filter((method) => {
    const { properties } = METHOD_SCHEMAS[method].params as { readonly properties?: object };
    return properties !== undefined && Object.hasOwn(properties, 'storeId');
  });
  expect(METHOD_NAMES.filter(namesStore)).toEqual(have);
  expect(have.length).toBeGreaterThan(20);
});

test('a store that a call names wins over that of the client', () => {
  expect(inStore({ storeId: 'a', streamId: 's' }, 'b')).toEqual({ storeId: 'a', streamId: 's' });
  expect(inStore<{ storeId: string; streamId: string }>({ streamId: 's' }, 'b')).toEqual({
    storeId: 'b',
    streamId: 's',
  });
  expect(inStore<{ storeId: string; streamId: string }>({ streamId: 's' }, undefined)).toEqual({
    streamId: 's',
  });
});
