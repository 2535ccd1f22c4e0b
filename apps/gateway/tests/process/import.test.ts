import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect } from '@esdb-gater/client';
import type { RecordedEvent } from '@esdb-gater/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type GatewayProcess,
  jsonLines,
  runCli,
  spawnCli,
  startGatewayProcess,
  temporaryFolder,
} from '../support/gateway-process.ts';

const folder = temporaryFolder();
let gateway: GatewayProcess;

beforeAll(async () => {
  gateway = await startGatewayProcess(folder.path);
});

afterAll(async () => {
  await gateway?.stop();
  folder.remove();
});

const env = (more: Readonly<Record<string, string>> = {}) => ({ ESDB_GATER_URL: gateway.url, ...more });

/** The heap of a process that must not hold the whole input. */
const SMALL_HEAP = { NODE_OPTIONS: '--max-old-space-size=64' };

async function eventsOf(prefix: string): Promise<RecordedEvent[]> {
  await using client = await connect(gateway.url);
  const events = await Array.fromAsync(client.allEvents({ storeId: 'default' }));
  return events.filter(({ streamId }) => streamId.startsWith(prefix));
}

describe('an import', () => {
  test('that is killed with -9, mended and repeated has written each line once [F36] [R15]', {
    timeout: 120_000,
  }, async () => {
    const file = join(folder.path, 'killed.ndjson');
    const count = 60_000;
    const line = (n: number) => ({
      streamId: `killed-${n % 7}`,
      type: 'imported',
      data: { n, equal: n % 2 },
    });
    const original = Array.from({ length: count }, (_, n) => JSON.stringify(line(n)));
    // Each edit keeps the meaning of the lines: blank lines, another order of members, another format of numbers.
    const edits: ((text: string, n: number) => string)[] = [
      (text) => text,
      (text, n) => (n % 3 === 0 ? `\n${text}\n` : text),
      (text, n) => {
        const { streamId, type, data } = JSON.parse(text) as ReturnType<typeof line>;
        return n % 2 === 0
          ? JSON.stringify({ data: { equal: data.equal, n: data.n }, type, streamId })
          : text;
      },
      (text) => text.replace(/"n":(\d+)/, '"n": $1.0'),
    ];
    await using client = await connect(gateway.url);
    const versionOfFirst = async () =>
      (await client.getVersion({ storeId: 'default', streamId: 'killed-0' })).version;
    for (const edit of edits) {
      writeFileSync(file, original.map(edit).join('\n'));
      const target = (await versionOfFirst()) + 300;
      const running = spawnCli(['import', file], env());
      const exit = once(running, 'exit');
      await expect.poll(versionOfFirst, { timeout: 60_000, interval: 2 }).toBeGreaterThan(target);
      running.kill('SIGKILL');
      // It had not finished, or it would have exited by itself.
      expect(await exit).toEqual([null, 'SIGKILL']);
    }
    const written = (await eventsOf('killed-')).length;
    expect(written).toBeLessThan(count);
    const last = await runCli(['import', file, '--json'], { env: env() });
    expect(last).toMatchObject({ code: 0, stderr: '' });
    expect(jsonLines(last.stdout)).toEqual([{ written: count - written, present: written, streams: 7 }]);
    const numbers = (await eventsOf('killed-')).map(({ data }) => (data as { n: number }).n);
    expect(numbers).toHaveLength(count);
    expect(new Set(numbers).size).toBe(count);
  });

  test('of a directory on standard input is refused [R32]', async () => {
    const directory = openSync(folder.path, 'r');
    const running = spawnCli(['import'], env(), [directory, 'pipe', 'pipe']);
    closeSync(directory);
    expect(await text(running.stderr as NodeJS.ReadableStream)).toMatch(/standard input is a directory/);
  });

  test('that Ctrl-C ends reports it with the number of written events [R32]', async () => {
    const running = spawnCli(['import', '--name', 'interrupted'], env());
    const lines = Array.from(
      { length: 1_000 },
      (_, n) => `{"streamId":"interrupted","type":"t","data":${n}}\n`,
    );
    // Standard input stays open: the command waits for more when the signal comes.
    running.stdin?.write(lines.join(''));
    await expect.poll(async () => (await eventsOf('interrupted')).length, { timeout: 30_000 }).toBe(1_000);
    const stderr = text(running.stderr as NodeJS.ReadableStream);
    const exit = once(running, 'exit');
    running.kill('SIGINT');
    expect(await stderr).toBe(
      'unavailable: interrupted by Ctrl-C; imported 1000 events into 1 stream; run the same command again to go on\n',
    );
    expect(await exit).toEqual([1, null]);
  });

  test('of lines of 1 MB, and a publish of them, keep only a few in memory [R21]', {
    timeout: 120_000,
  }, async () => {
    const data = 'x'.repeat(1_000_000);
    const events = Array.from({ length: 120 }, (_, n) =>
      JSON.stringify({ streamId: 'big', type: 't', data: `${n}${data}` }),
    );
    const imported = await runCli(['import', '--json'], { stdin: events.join('\n'), env: env(SMALL_HEAP) });
    expect(imported).toMatchObject({
      code: 0,
      stdout: '{"written":120,"present":0,"streams":1}\n',
      stderr: '',
    });
    const messages = Array.from({ length: 120 }, () => JSON.stringify({ topic: 'big', message: data }));
    const published = await runCli(['publish', 'events', '--json'], {
      stdin: messages.join('\n'),
      env: env(SMALL_HEAP),
    });
    expect(published).toMatchObject({ code: 0, stderr: '' });
    expect(jsonLines(published.stdout)).toHaveLength(120);
  });

  test('printed to a pipe without a reader takes little memory, and no line is lost [R21]', {
    timeout: 120_000,
  }, async () => {
    const reading = spawnCli(['read', 'big'], env(SMALL_HEAP));
    const output = reading.stdout as NodeJS.ReadableStream;
    // The pipe is full, and the command has had the time to read all of the stream if it did not wait.
    await once(output, 'readable');
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const exit = once(reading, 'exit');
    const lines = jsonLines<RecordedEvent>(await text(output));
    expect(lines.map(({ version }) => version)).toEqual(Array.from({ length: 120 }, (_, n) => n));
    expect(await exit).toEqual([0, null]);
  });
});

describe('a subscription', () => {
  test('to a pipe without a reader takes little memory, and every message is printed once and in order [R21]', {
    timeout: 120_000,
  }, async () => {
    const args = ['subscribe', 'events', 'default.big.*', '--from', 'earliest', '--count', '120'];
    const subscriber = spawnCli(args, env(SMALL_HEAP));
    const output = subscriber.stdout as NodeJS.ReadableStream;
    await once(output, 'readable');
    // Time for all 120 MB to come, into a heap of 64.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const exit = once(subscriber, 'exit');
    const lines = jsonLines<{ message: RecordedEvent }>(await text(output));
    expect(lines.map(({ message }) => message.version)).toEqual(Array.from({ length: 120 }, (_, n) => n));
    expect(await exit).toEqual([0, null]);
  });
});

describe('a command whose output', () => {
  test('is read late loses no line at its end [R21]', async () => {
    const reading = spawnCli(['read', 'big', '--count', '1'], env());
    const output = reading.stdout as NodeJS.ReadableStream;
    await once(output, 'readable');
    // Longer than the end of a gateway waits for the reader of its log.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(jsonLines<RecordedEvent>(await text(output))).toMatchObject([{ version: 0 }]);
  });

  test('goes to a full disk reports it and exits with 1 [R32]', async () => {
    for (const args of [['read', 'big'], ['health'], ['health', '--json'], ['--help']]) {
      const full = openSync('/dev/full', 'w');
      const command = spawnCli(args, env(), ['pipe', full, 'pipe']);
      closeSync(full);
      const stderr = await text(command.stderr as NodeJS.ReadableStream);
      expect(stderr).toMatch(/cannot write standard output: no space is left on the device \(ENOSPC\)/);
      expect(stderr.trimEnd()).not.toContain('\n');
      if (command.exitCode === null) await once(command, 'exit');
      expect(command.exitCode).toBe(1);
    }
  });

  test('and whose errors go to a full disk exits with its own code [R32]', async () => {
    const full = openSync('/dev/full', 'w');
    const command = spawnCli(['frobnicate'], env(), ['pipe', 'pipe', full]);
    closeSync(full);
    expect(await once(command, 'exit')).toEqual([2, null]);
  });
});
