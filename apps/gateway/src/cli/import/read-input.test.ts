import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { fc } from '@esdb-gater/property-testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Terminal } from '../context.ts';
import { openInput } from './read-input.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'esdb-gater-import-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const LINES = ['{"n":1}', '{"n":"[2,\\"}]"}', '{"n":[3,{}]}'];

function terminalOf(stdin: Terminal['stdin'], interrupted = new AbortController().signal): Terminal {
  return { stdin, stdout: new PassThrough(), stderr: new PassThrough(), env: {}, interrupted };
}

/** What is read of standard input that comes in these pieces. */
async function read(...pieces: (string | Uint8Array)[]) {
  async function* stdin(): AsyncGenerator<Uint8Array> {
    for (const piece of pieces) yield Buffer.from(piece);
  }
  return Array.fromAsync(openInput(undefined, terminalOf(stdin())).lines);
}

const textsOf = (lines: readonly { readonly text: string }[]) => lines.map(({ text }) => text);

describe('the input of an import', () => {
  test('may be NDJSON, a JSON array, or either with gzip [R32]', async () => {
    const array = `[\n${LINES.join(',\n')}\n]\n`;
    for (const content of [LINES.join('\n'), array, `\uFEFF \n${array}`, `[${LINES.join()}]`]) {
      expect(textsOf(await read(content))).toEqual(LINES);
      expect(textsOf(await read(gzipSync(content)))).toEqual(LINES);
    }
    const members = Buffer.concat([gzipSync(`${LINES[0]}\n`), gzipSync(`${LINES[1]}\n${LINES[2]}`)]);
    expect(textsOf(await read(members))).toEqual(LINES);
    expect(await read('')).toEqual([]);
    expect(await read(' [ ] \n')).toEqual([]);
  });

  test('may be a JSON array however it is cut and laid out', async () => {
    const options = { maxLength: 20 } as const;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue(), options),
        fc.constantFrom(undefined, 1, '\t'),
        fc.integer({ min: 1, max: 50 }),
        async (values, indent, size) => {
          const bytes = Buffer.from(JSON.stringify(values, null, indent));
          const pieces: Buffer[] = [];
          for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
          expect(textsOf(await read(...pieces)).map((text) => JSON.parse(text))).toEqual(
            JSON.parse(JSON.stringify(values)),
          );
        },
      ),
    );
  });

  test('names the item of an array and the line where it begins', async () => {
    expect(await read('[{"a":1},\n\n  {"b":\n2}, 3]')).toEqual([
      { number: 1, item: 1, text: '{"a":1}' },
      { number: 3, item: 2, text: '{"b":\n2}' },
      { number: 4, item: 3, text: '3' },
    ]);
    await expect(read('[1,\n2')).rejects.toThrow('line 2 ends before the JSON array does');
    await expect(read('[1,\n,2]')).rejects.toThrow('item 2 (line 2) is missing');
    await expect(read('[1,]')).rejects.toThrow('item 2 (line 1) is missing');
    await expect(read('[1]\n[2]')).rejects.toThrow('line 2 must be empty');
  });

  test.each([
    ['a zip archive', [0x50, 0x4b, 0x03, 0x04], 'unzip -p FILE'],
    ['zstd', [0x28, 0xb5, 0x2f, 0xfd], 'zstd -dc FILE'],
    ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], 'xz -dc FILE'],
    ['bzip2', [0x42, 0x5a, 0x68, 0x39], 'bzip2 -dc FILE'],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00], 'iconv -f UTF-16 -t UTF-8 FILE'],
  ])('that is %s is refused with what to do [R32]', async (_, bytes, words) => {
    for (const content of [
      Uint8Array.from([...bytes, 0, 0, 0]),
      gzipSync(Uint8Array.from([...bytes, 0, 0])),
    ]) {
      await expect(read(content)).rejects.toMatchObject({
        code: 'invalid_argument',
        details: { reason: 'input' },
        message: expect.stringContaining(words),
      });
    }
  });

  test('that is gzip and was cut, or fails its checksum, gives what stands before, and then says so [R32]', async () => {
    const lines = Array.from({ length: 50_000 }, (_, n) => `{"n":${n}}`);
    const whole = gzipSync(lines.join('\n'));
    const damaged = Buffer.from(whole);
    damaged.writeUInt32LE(0, whole.length - 8);
    for (const content of [whole.subarray(0, whole.length / 2), damaged]) {
      async function* stdin(): AsyncGenerator<Uint8Array> {
        yield content;
      }
      const got: string[] = [];
      const reading = (async () => {
        for await (const { text } of openInput(undefined, terminalOf(stdin())).lines) got.push(text);
      })();
      await expect(reading).rejects.toThrow('the gzip data is damaged or incomplete');
      expect(got).toEqual(lines.slice(0, got.length));
    }
  });

  test('has the path of its file as its name, and tells how much of it was read', async () => {
    const file = join(folder, 'events.ndjson');
    writeFileSync(file, LINES.join('\n'));
    const input = openInput(
      join(folder, '.', 'x', '..', 'events.ndjson').replace('/x/..', ''),
      terminalOf(process.stdin),
    );
    expect(input).toMatchObject({ name: file, totalBytes: LINES.join('\n').length });
    expect(input.bytesRead()).toBe(0);
    expect(textsOf(await Array.fromAsync(input.lines))).toEqual(LINES);
    expect(input.bytesRead()).toBe(input.totalBytes);
    const zipped = join(folder, 'events.gz');
    writeFileSync(zipped, gzipSync(LINES.join('\n')));
    const compressed = openInput(zipped, terminalOf(process.stdin));
    await Array.fromAsync(compressed.lines);
    expect(compressed.bytesRead()).toBe(compressed.totalBytes);
  });

  test('that is a directory or does not exist is refused before anything is connected [R32]', async () => {
    const terminal = terminalOf(process.stdin);
    expect(() => openInput(folder, terminal)).toThrow(`${folder} is a directory; give one of its files`);
    expect(() => openInput(join(folder, 'none'), terminal)).toThrow('it does not exist (ENOENT)');
    const isTTY = Object.assign(new PassThrough(), { isTTY: true });
    expect(() => openInput(undefined, terminalOf(isTTY))).toThrow('give a FILE');
  });

  test('ends at once when it is interrupted while nothing comes [R32]', async () => {
    const interruption = new AbortController();
    const input = openInput(undefined, terminalOf(new PassThrough(), interruption.signal));
    const reading = Array.fromAsync(input.lines);
    interruption.abort(new Error('interrupted by Ctrl-C'));
    await expect(reading).rejects.toThrow('interrupted by Ctrl-C');
  });
});
