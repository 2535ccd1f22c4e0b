import { fc } from '@esdb-gater/property-testing';
import type { JsonValue, Notice } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import * as ws from 'ws';
import { messageEncoder, textFrame } from './frames.ts';

/** The frames of `ws`, which does not copy what is read only. */
const { Sender } = ws as unknown as {
  readonly Sender: { frame(data: Uint8Array, options: object): Uint8Array[] };
};

function frameByWs(text: string): Buffer {
  const options = { fin: true, opcode: 1, rsv1: false, mask: false, readOnly: true };
  return Buffer.concat(Sender.frame(Buffer.from(text, 'utf8'), options));
}

describe('a text frame', () => {
  test.each([0, 1, 125, 126, 127, 65_535, 65_536, 200_000])(
    'of %i bytes is the one that ws makes',
    (length) => {
      for (const text of ['x'.repeat(length), `${'ж'.repeat(length >> 1)}${length % 2 === 0 ? '' : 'x'}`]) {
        expect(frameByWs(text).equals(textFrame(text))).toBe(true);
      }
    },
  );

  test('has any text as UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(frameByWs(text).equals(textFrame(text))).toBe(true);
      }),
    );
  });
});

describe('a message', () => {
  const names = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 });

  test('is the same frame whether or not its broker has encoded the content', () => {
    const params = fc.record(
      {
        channel: fc.constantFrom('events' as const, 'system' as const),
        topic: names,
        id: names,
        time: fc.constantFrom('2026-01-31T12:00:00.000Z'),
        position: names,
        message: fc.jsonValue().map((value) => value as JsonValue),
        replayFor: names,
      },
      { requiredKeys: ['channel', 'topic', 'id', 'time', 'position', 'message'] },
    );
    const trace = fc.constantFrom(
      {},
      { trace: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` } },
    );
    fc.assert(
      fc.property(params, trace, (content, carrier) => {
        const frame = (text?: { readonly messageText: string }): string => {
          const notice: Notice = { method: 'message', params: content, ...text, ...carrier };
          return Buffer.from(messageEncoder.encode(notice)).toString();
        };
        expect(frame({ messageText: JSON.stringify(content.message) })).toBe(frame());
      }),
    );
  });
});
