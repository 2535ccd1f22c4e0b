import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startTestGateway } from './support/in-process.ts';

test('a gateway whose database is deleted is not ready, says why in health, and takes no more appends [R20] [F32]', async () => {
  await using gateway = await startTestGateway();
  const readyz = () => fetch(`${gateway.http}/readyz`);
  expect((await readyz()).status).toBe(200);
  for (const suffix of ['', '-wal', '-shm'])
    rmSync(join(gateway.dataDir, `default.db${suffix}`), { force: true });

  const ready = await readyz();
  expect(ready.status).toBe(503);
  expect(await ready.text()).toMatch(/default\.db/);
  const health = await fetch(`${gateway.http}/health`);
  expect(await health.json()).toMatchObject({
    status: 'degraded',
    reasons: [expect.objectContaining({ component: expect.stringContaining('default') })],
  });
  const append = await fetch(`${gateway.http}/v1/stores/default/streams/a/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ events: [{ type: 't', data: null }] }),
  });
  // Waiting does not help, so it is not an error that callers repeat.
  expect(append.status).toBe(500);
  expect(await append.json()).toMatchObject({ code: 'internal', retriable: false });
});
