import { PassThrough } from 'node:stream';
import { createFakeClock } from '@esdb-gater/primitives/testing';
import { expect, test } from 'vitest';
import { createLogOutput } from './log-output.ts';

/** A stream whose reader is paused until it is resumed. */
function stalled() {
  const stream = new PassThrough({ highWaterMark: 16 });
  return { stream, read: () => String(stream.read() ?? '') };
}

/** Reads until the stream has had no data for a turn of the event loop. */
async function readAll(stream: PassThrough): Promise<string> {
  let text = '';
  for (let idle = 0; idle < 3; ) {
    const chunk: unknown = stream.read();
    if (chunk === null) idle++;
    else text += String(chunk);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return text;
}

test('lines are dropped while too many wait, and the log reports their number', async () => {
  const { stream } = stalled();
  const output = createLogOutput(stream, createFakeClock(), { maxBytes: 64 });
  const line = `${'x'.repeat(31)}\n`;
  for (let i = 0; i < 10; i++) output.write(line);
  expect(output.dropped).toBeGreaterThan(5);
  expect(stream.readableLength + stream.writableLength).toBeLessThan(64 + 3 * line.length);
  const kept = 10 - output.dropped;
  const lines = (await readAll(stream)).trimEnd().split('\n');
  expect(lines.slice(0, kept)).toEqual(Array.from({ length: kept }, () => 'x'.repeat(31)));
  expect(JSON.parse(lines[kept] ?? '')).toMatchObject({ level: 40, count: output.dropped });
});

test('after a stall the log continues', async () => {
  const { stream } = stalled();
  const output = createLogOutput(stream, createFakeClock(), { maxBytes: 16 });
  for (let i = 0; i < 5; i++) output.write('0123456789012345\n');
  await readAll(stream);
  output.write('again\n');
  expect(await readAll(stream)).toBe('again\n');
});

test('a flush ends when the reader has taken everything', async () => {
  const { stream } = stalled();
  const clock = createFakeClock();
  const output = createLogOutput(stream, clock);
  output.write('0123456789012345678901234567890\n');
  const flushed = output.flush(1_000);
  await readAll(stream);
  await flushed;
  expect(clock.timers).toBe(0);
});

test('a flush does not wait for a reader that is stuck', async () => {
  const { stream } = stalled();
  const clock = createFakeClock();
  const output = createLogOutput(stream, clock);
  for (let i = 0; i < 10; i++) output.write('0123456789012345678901234567890\n');
  const flushed = output.flush(1_000);
  clock.advance(1_000);
  await flushed;
});

test('a closed reader is not an error', async () => {
  const { stream } = stalled();
  const output = createLogOutput(stream, createFakeClock());
  stream.destroy(new Error('EPIPE'));
  await new Promise((resolve) => setImmediate(resolve));
  expect(() => output.write('to nobody\n')).not.toThrow();
});

test('many gateways of a process that write to one stream add one listener to it', () => {
  const { stream } = stalled();
  const before = stream.listenerCount('error');
  for (let n = 0; n < 20; n++) createLogOutput(stream, createFakeClock());
  expect(stream.listenerCount('error')).toBe(before + 1);
});
