// T37: files that other users of the machine could read. A real process, with everything that it writes.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@esdb-gater/client';
import { expect, test } from 'vitest';
import { startGatewayProcess, temporaryFolder } from '../support/gateway-process.ts';

test('a gateway creates no file that others may read, while it runs and afterwards [R10] [T37]', async () => {
  const folder = temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const gateway = await startGatewayProcess(dataDir, [
    '--stores',
    '{"default":{"engine":"sqlite"},"more":{"engine":"sqlite"}}',
  ]);
  await using client = await connect(gateway.url, { retry: { maxAttempts: 1 } });
  for (const storeId of ['default', 'more']) {
    await client.appendEvents({ storeId, streamId: 'a', events: [{ type: 't', data: 1 }] });
  }
  const check = (): string[] =>
    [
      { path: dataDir, folder: true },
      ...readdirSync(dataDir, { recursive: true, withFileTypes: true }).map((entry) => ({
        path: join(entry.parentPath, entry.name),
        folder: entry.isDirectory(),
      })),
    ].flatMap(({ path, folder }) => {
      const mode = statSync(path).mode & 0o777;
      return mode === (folder ? 0o700 : 0o600) ? [] : [`${path}: ${mode.toString(8)}`];
    });
  expect(check()).toEqual([]);
  expect(await gateway.stop()).toBe(0);
  expect(check()).toEqual([]);
  expect(readdirSync(dataDir).length).toBeGreaterThan(4);
  folder.remove();
}, 60_000);
