import { fc } from '@esdb-gater/property-testing';
import { beforeEach, describe, expect, test } from 'vitest';
import * as ws from 'ws';
import { type FrameSocket, FrameWriter } from './frame-writer.ts';
import { textFrame } from './frames.ts';
import { createTurnQueue } from './turn.ts';

/** Reads frames as a client that does not care about masks. */
const { Receiver } = ws as unknown as {
  readonly Receiver: new (
    options: object,
  ) => NodeJS.WritableStream & {
    on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): void;
  };
};

let writes: Uint8Array[];
let endTurn: () => void;
let socket: FrameSocket & { destroyed: boolean; writableLength: number };
let writer: FrameWriter;

beforeEach(() => {
  writes = [];
  endTurn = () => undefined;
  socket = {
    destroyed: false,
    writableLength: 0,
    write(bytes) {
      writes.push(bytes);
      return true;
    },
  };
  writer = new FrameWriter(
    socket,
    createTurnQueue((run) => {
      endTurn = run;
    }),
  );
});

async function received(): Promise<string[]> {
  const receiver = new Receiver({ isServer: false });
  const texts: string[] = [];
  receiver.on('message', (data) => texts.push(data.toString()));
  const done = new Promise((resolve) => receiver.on('finish', resolve));
  receiver.write(Buffer.concat(writes));
  receiver.end();
  await done;
  return texts;
}

describe('a turn', () => {
  test('all texts of a turn leave by one write at its end', async () => {
    for (const text of ['one', 'two', 'x'.repeat(200)]) writer.text(text);
    expect(writes).toHaveLength(0);
    endTurn();
    expect(writes).toHaveLength(1);
    expect(await received()).toEqual(['one', 'two', 'x'.repeat(200)]);
  });

  test('frames built before go out at once and are not copied', () => {
    const frame = textFrame('shared');
    writer.frames(frame);
    expect(writes).toEqual([frame]);
    expect(writes[0]).toBe(frame);
  });

  test('frames never overtake texts that wait', async () => {
    writer.text('first');
    writer.frames(textFrame('second'));
    writer.text('third');
    endTurn();
    expect(await received()).toEqual(['first', 'second', 'third']);
  });

  test('one turn queue serves many connections with one callback', () => {
    let scheduled = 0;
    const turns = createTurnQueue(() => {
      scheduled++;
    });
    for (let i = 0; i < 10; i++) new FrameWriter(socket, turns).text('x');
    expect(scheduled).toBe(1);
  });
});

test('texts of any length arrive whole and in order', async () => {
  const lengths = [0, 1, 125, 126, 16_384, 16_385, 65_535, 65_536, 100_000];
  const texts = lengths.flatMap((length) => ['é'.repeat(length), 'a'.repeat(length)]);
  for (const text of texts) writer.text(text);
  endTurn();
  expect(await received()).toEqual(texts);
});

test('whatever is queued is what a receiver reads (property)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme', maxLength: 150 }), { maxLength: 20 }),
      async (texts) => {
        writes = [];
        for (const text of texts) writer.text(text);
        if (texts.length > 0) endTurn();
        expect(await received()).toEqual(texts);
      },
    ),
    { numRuns: 50 },
  );
});

test('closing flushes what waits and ignores what comes later', async () => {
  writer.text('last');
  writer.close();
  writer.text('late');
  writer.frames(textFrame('late'));
  endTurn();
  expect(await received()).toEqual(['last']);
});

test('nothing is written to a socket that is gone', () => {
  socket.destroyed = true;
  writer.text('x');
  writer.frames(textFrame('y'));
  expect(writes).toEqual([]);
});

test('texts do not pile up within a turn', () => {
  for (let i = 0; i < 100; i++) writer.text('x'.repeat(10_000));
  expect(Buffer.concat(writes).length).toBeGreaterThan(900_000);
});

test('a text that was written early does not come again at the end of the turn', async () => {
  writer.text('x'.repeat(70_000));
  endTurn();
  expect(await received()).toEqual(['x'.repeat(70_000)]);
});
