import { fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import * as browser from './browser.ts';
import * as node from './node.ts';

const bytes = fc.uint8Array({ maxLength: 200 });

describe('the platforms', () => {
  test('write the same base64url, and read it back (property)', () => {
    fc.assert(
      fc.property(bytes, (data) => {
        const text = node.toBase64url(data);
        expect(browser.toBase64url(data)).toBe(text);
        expect(new Uint8Array(node.fromBase64url(text) ?? [])).toEqual(data);
        expect(browser.fromBase64url(text)).toEqual(data);
      }),
    );
  });

  test('read no base64url but the canonical one, alike (property)', () => {
    const unit = fc.constantFrom(...'ABcd01-_+/= \n.é');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), (text) => {
        const read = node.fromBase64url(text);
        expect(browser.fromBase64url(text)).toEqual(read === undefined ? undefined : new Uint8Array(read));
        if (read !== undefined) expect(node.toBase64url(read)).toBe(text);
      }),
      { numRuns: 500 },
    );
    for (const text of [
      'A',
      'AAAAA',
      'AB',
      'AAB',
      'AA==',
      'AA=',
      'A+A',
      'A/A',
      ' AA',
      'AA\n',
      'AÀ',
      '\u0141A',
    ]) {
      expect([node.fromBase64url(text), browser.fromBase64url(text)]).toEqual([undefined, undefined]);
    }
  });

  test('compute the same hashes and MACs (property)', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 2_000 });
    fc.assert(
      fc.property(bytes, bytes, text, (key, data, message) => {
        const [a, b] = [node.typescriptEngine, browser.typescriptEngine].map((engine) => {
          const prepared = engine.createHmacKey(key);
          const signature = prepared.macText(message);
          expect(prepared.verifyText(message, signature)).toBe(true);
          expect(prepared.verifyText(`${message} `, signature)).toBe(false);
          expect(prepared.verifyText(message, signature.slice(1))).toBe(false);
          return {
            hash: engine.sha256(data),
            mac: prepared.mac(data),
            many: prepared.macMany([data, key]),
            signature,
            base58: engine.base58Encode(data),
          };
        });
        expect(a).toEqual(b);
      }),
    );
  });
});
