import { fc } from '@esdb-gater/property-testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestGateway } from '../support/in-process.ts';
import { type RawClient, rawConnect } from '../support/raw-client.ts';
import { bearer, rawHttp, STREAMS, startGuarded, tokenFor } from './support.ts';

let gateway: TestGateway;
let admin: RawClient;
let plain: RawClient;
const stored = new Set<string>();

beforeAll(async () => {
  gateway = await startGuarded();
  admin = await rawConnect(gateway.url, bearer(tokenFor(gateway.did)));
  plain = await rawConnect(gateway.url);
});
afterAll(() => gateway.close());

async function store(...names: readonly string[]): Promise<void> {
  for (const streamId of names) {
    const { error } = await admin.call('appendEvents', {
      storeId: 'default',
      streamId,
      events: [{ type: 't', data: 1 }],
    });
    expect(error, streamId).toBeUndefined();
    stored.add(streamId);
  }
}

/** Reads all pages that `token` may see. */
async function listed(token: string, prefix: string = '', limit: number = 100): Promise<string[]> {
  const seen: string[] = [];
  for (let after: string | undefined; ; ) {
    const params = { storeId: 'default', token, prefix, limit, ...(after === undefined ? {} : { after }) };
    const { result, error } = await plain.call('getStreams', params);
    expect(error).toBeUndefined();
    const page = result as { readonly streams: string[]; readonly next?: string };
    seen.push(...page.streams);
    if (page.next === undefined) return seen;
    after = page.next;
  }
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Returns the names with these prefixes, without code of the gateway. */
function covered(beginnings: readonly string[], prefix: string = ''): string[] {
  return [...stored]
    .filter((name) => name.startsWith(prefix))
    .filter((name) => beginnings.some((one) => name.normalize('NFC').startsWith(one.normalize('NFC'))))
    .sort(byBytes);
}

const encoded = (name: string): string =>
  encodeURIComponent(name.normalize('NFC')).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const tokenOf = (beginnings: readonly string[], open: boolean = true): string =>
  tokenFor(
    gateway.did,
    beginnings.map((one) => ({ with: `${STREAMS}${encoded(one)}${open ? '*' : ''}`, can: 'stream/read' })),
  );

/** A first character of many scripts, composed and not, in and beyond the basic plane. */
const FIRST = [
  ...['a', 'K', ';', '`', '-', '%', '*', '~', '\u00e9', 'e\u0301', '\u212a', '\u212b', '\u037e', '\u1fef'],
  ...['\u00df', '\u03a9', '\u2126', '\u0416', '\u0531', '\u05d0', '\u0639', '\u0710', '\u0905', '\u0e01'],
  ...['\u10d0', '\u1100\u1161', '\uac00', '\u13a0', '\u3042', '\u304b\u3099', '\u30a2', '\u4e2d', '\uf900'],
  ...['\u{10330}', '\u{1f600}', '\u{20000}', '\u{1d11e}', '\u0301', '\u200d'],
];

describe('T25: a grant that widens by how lists are searched', () => {
  test('a grant on names of any script lists these and never those of another tenant [R1] [T25]', async () => {
    await store('tenant-b-1', 'invoices-2026', '\u00fcber-1');
    for (const first of FIRST) await store(`${first}one`, `${first}-two`);
    for (const first of FIRST) {
      expect(await listed(tokenOf([first])), JSON.stringify(first)).toEqual(covered([first]));
      const exact = `${first}one`;
      const same = [...stored]
        .filter((name) => name.normalize('NFC') === exact.normalize('NFC'))
        .sort(byBytes);
      expect(await listed(tokenOf([exact], false)), JSON.stringify(exact)).toEqual(same);
      const path = `/v1/stores/default/streams?prefix=${encodeURIComponent('invoices')}`;
      const { text } = await rawHttp(gateway.http, 'GET', path, { token: tokenOf([first]) });
      expect(JSON.parse(text), JSON.stringify(first)).toEqual({ streams: [] });
    }
  });

  test('a list contains exactly the names that the grants cover, for names of any script (property) [R1] [T25]', async () => {
    const part = fc.oneof(
      fc.constantFrom(...FIRST),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 2 }),
    );
    const text = fc
      .array(part, { minLength: 1, maxLength: 3 })
      .map((parts) => parts.join(''))
      .filter((name) => !/[\p{Cc}]/u.test(name) && !['.', '..', '$all'].includes(name));
    await store(...fc.sample(text, { numRuns: 150, seed: 25 }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(text, fc.constantFrom(...stored)), { minLength: 1, maxLength: 3 }),
        fc.constantFrom('', '', '', 'a', '\u00e9', 'K'),
        fc.constantFrom(1, 7, 100),
        async (beginnings, prefix, limit) => {
          expect(await listed(tokenOf(beginnings), prefix, limit)).toEqual(covered(beginnings, prefix));
        },
      ),
      { numRuns: 120 },
    );
  });

  test('only a grant on all streams of the store lists it unfiltered [R1] [T25]', async () => {
    const everything = [...stored].sort(byBytes);
    for (const all of ['*', 'esdb://*', 'esdb://default/*', 'esdb://default/stream/*', `${STREAMS}*`]) {
      const token = tokenFor(gateway.did, [{ with: all, can: 'stream/read' }]);
      expect(await listed(token), all).toEqual(everything);
    }
  });
});
