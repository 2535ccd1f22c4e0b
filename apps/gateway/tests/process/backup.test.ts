import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type RecordedEvent } from '@esdb-gater/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type GatewayProcess,
  jsonLines,
  runCli,
  startGatewayProcess,
  temporaryFolder,
} from '../support/gateway-process.ts';

let folder: ReturnType<typeof temporaryFolder>;
let gateway: GatewayProcess | undefined;

beforeEach(async () => {
  folder = temporaryFolder();
  gateway = await startGatewayProcess(dataDir());
});
afterEach(async () => {
  await gateway?.stop();
  folder.remove();
});

const dataDir = (): string => join(folder.path, 'data');
const file = (): string => join(folder.path, 'backup.db');
const cli = (...args: string[]) => runCli([...args, '--data-dir', dataDir()], {});

let written = 0;
async function append(count: number): Promise<void> {
  await using client = await connect(gateway?.url ?? '');
  const events = Array.from({ length: count }, () => ({ type: 'counted', data: ++written }));
  await client.appendEvents({ storeId: 'default', streamId: 's', events });
}

async function restart(): Promise<void> {
  gateway = await startGatewayProcess(dataDir());
}

test('a store is backed up under its running gateway, and restored only without one', async () => {
  await append(50);
  const backup = await cli('backup', file());
  expect(backup).toMatchObject({ code: 0, stderr: '' });
  expect(jsonLines(backup.stdout)).toMatchObject([{ events: 50, position: 50 }]);
  expect(statSync(file()).mode & 0o777).toBe(0o600);

  const again = await cli('backup', file());
  expect(again).toMatchObject({ code: 1, stdout: '' });
  expect(again.stderr).toMatch(/^invalid_argument: .*exists already.*\n$/);
  expect((await cli('backup', file(), '--force')).code).toBe(0);

  await append(10);
  const early = await cli('restore', file(), '--force');
  expect(early).toMatchObject({ code: 1, stdout: '' });
  expect(early.stderr).toMatch(/^unavailable: .*is open already/);

  await gateway?.stop();
  expect((await cli('restore', file())).code).toBe(1);
  expect(jsonLines((await cli('restore', file(), '--force')).stdout)).toMatchObject([{ position: 50 }]);
  expect(existsSync(join(dataDir(), 'default.db-wal'))).toBe(false);
  await restart();
  await using client = await connect(gateway?.url ?? '');
  expect((await client.getVersion({ storeId: 'default', streamId: 's' })).version).toBe(49);
});

test('a persistent subscription goes back with its store, and delivers what was written since', async () => {
  await append(3);
  const create = ['subscription', 'create', 'reader', '--all', '--url', gateway?.url ?? ''];
  expect((await runCli(create, {})).code).toBe(0);
  const consume = async (count: number): Promise<unknown[]> => {
    const args = ['subscription', 'consume', 'reader', '--count', String(count), '--url', gateway?.url ?? ''];
    return jsonLines<RecordedEvent>((await runCli(args, {})).stdout).map(({ data }) => data);
  };
  const start = written - 3;
  expect(await consume(2)).toEqual([start + 1, start + 2]);
  expect((await cli('backup', file())).code).toBe(0);
  await append(2);
  expect(await consume(3)).toEqual([start + 3, start + 4, start + 5]);
  await gateway?.stop();
  expect((await cli('restore', file(), '--force')).code).toBe(0);
  await restart();
  await append(4);
  expect(await consume(5)).toEqual([start + 3, start + 6, start + 7, start + 8, start + 9]);
});

test('after a restore nobody has a silent gap: positions tell `lost`, and a follow says that its position is gone [F26]', async () => {
  await append(5);
  expect((await cli('backup', file())).code).toBe(0);
  await append(4);
  const url = gateway?.url ?? '';
  const client = await connect(url);
  const followed: RecordedEvent[] = [];
  for await (const event of client.follow({ storeId: 'default' })) if (followed.push(event) === 9) break;
  const messages = await client.subscribe({ channel: 'events', topic: '>', from: 'earliest' });
  let position = '';
  let count = 0;
  for await (const message of messages) {
    position = message.position;
    count += 1;
    if (count === 9) break;
  }
  await client.close();
  await gateway?.stop();
  expect((await cli('restore', file(), '--force')).code).toBe(0);
  await restart();
  // Other events at the positions of those that are gone, and more than there were.
  await append(6);

  await using later = await connect(gateway?.url ?? '');
  const resumed = await later.subscribe({ channel: 'events', topic: '>', from: { position } });
  expect(resumed.lost).toBe(true);
  const data = new Set<unknown>();
  for await (const { message } of resumed) {
    data.add((message as { data: unknown }).data);
    if (data.has(written)) break;
  }
  for (let number = written - 5; number <= written; number++) expect(data.has(number)).toBe(true);

  const last = followed.at(-1) as RecordedEvent;
  const goneOn = later.follow({ storeId: 'default', after: last.position, afterId: last.id });
  await expect(goneOn.next()).rejects.toMatchObject({ details: { reason: 'position_lost' } });
  // One from before the backup is still proved.
  const early = followed[4] as RecordedEvent;
  const kept = later.follow({ storeId: 'default', after: early.position, afterId: early.id });
  expect((await kept.next()).value?.data).toBe(written - 5);
  await kept.return?.();
});
