import { fc } from '@esdb-gater/property-testing';
import { beforeAll, expect, test, vi } from 'vitest';

type Router = typeof import('./router.ts');
let router: Router;
beforeAll(async () => {
  vi.stubGlobal('location', { hash: '' });
  router = await import('./router.ts');
});

test('an address is read as it was written, whatever names are in it', () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(
      fc.array(name, { maxLength: 3 }),
      fc.record({ a: name, b: name }, { requiredKeys: [] }),
      (parts, query) => {
        const route = router.parseHash(router.href(parts, query));
        expect(route.parts).toEqual(parts);
        expect(Object.fromEntries(route.query)).toEqual(query);
      },
    ),
  );
});

test('an address that is not percent-encoded is read as it stands', () => {
  expect(router.parseHash('#/streams/%zz').parts).toEqual(['streams', '%zz']);
  expect(router.parseHash('').parts).toEqual([]);
});

test('empty values are left out of an address', () => {
  expect(router.href(['events', 'a b'], { stream: '', type: undefined, tag: 'x' })).toBe(
    '#/events/a%20b?tag=x',
  );
});
