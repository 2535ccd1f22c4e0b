import { fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { type InputLine, LineError, linesOf, parseLine } from './lines.ts';

async function* chunks(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? new TextEncoder().encode(part) : part;
}

async function all(input: AsyncIterable<Uint8Array>): Promise<InputLine[]> {
  return Array.fromAsync(linesOf(input));
}

describe('the lines of an input', () => {
  test('are numbered from 1, blank ones counted and left out', async () => {
    const lines = await all(chunks('a\n\n  \nb'));
    expect(lines.map(({ number, text }) => [number, text])).toEqual([
      [1, 'a'],
      [4, 'b'],
    ]);
  });

  test('may be cut anywhere, also inside a character', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => text.replace(/[\r\n]/g, '')),
          { maxLength: 20 },
        ),
        fc.array(fc.nat(20), { maxLength: 60 }),
        async (texts, cuts) => {
          const bytes = new TextEncoder().encode(texts.join('\n'));
          const parts: Uint8Array[] = [];
          let at = 0;
          for (const cut of cuts) {
            parts.push(bytes.subarray(at, at + cut));
            at += cut;
          }
          parts.push(bytes.subarray(at));
          const got = (await all(chunks(...parts))).map(({ text }) => text);
          expect(got).toEqual(texts.map((text) => text.trim()).filter((text) => text !== ''));
        },
      ),
    );
  });

  test('that are not UTF-8 are refused by their number', async () => {
    await expect(all(chunks('a\n', new Uint8Array([0xc3, 0x28, 10])))).rejects.toThrow(
      'line 2 is not valid UTF-8',
    );
  });

  test('that never end do not fill the memory', async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield new Uint8Array(1 << 20).fill(65);
    }
    await expect(all(endless())).rejects.toThrow(LineError);
  });

  test('that are not JSON are refused by their number', () => {
    expect(() => parseLine({ number: 7, text: '{' })).toThrow('line 7 is not valid JSON');
  });

  test('that nest too deeply are refused before they are parsed', () => {
    const text = '['.repeat(5_000_000);
    expect(() => parseLine({ number: 7, text })).toThrow('line 7 is nested too deeply');
  });

  test('that come byte by byte take the memory of their bytes', async () => {
    async function* drip(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < 100_000; at++) yield Buffer.from('a');
    }
    expect((await all(drip())).map(({ text }) => text.length)).toEqual([100_000]);
  });
});
