import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { connect } from '@esdb-gater/client';
import { afterEach, expect, test } from 'vitest';
import { startGatewayProcess, temporaryFolder } from '../support/gateway-process.ts';
import { openSocket } from '../support/raw-socket.ts';

/** Of util-linux. */
const hasPrlimit = spawnSync('prlimit', ['--version']).error === undefined;

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

test.skipIf(!hasPrlimit)(
  'a gateway that has no file handles left lives, serves its clients, and takes new ones once some are free [F5]',
  async () => {
    const folder = temporaryFolder();
    cleanUps.push(folder.remove);
    const gateway = await startGatewayProcess(folder.path);
    cleanUps.push(() => gateway.kill9());
    const client = await connect(gateway.url);
    cleanUps.push(() => client.close());
    const append = (n: number) =>
      client.appendEvents({ storeId: 'default', streamId: 's', events: [{ type: 't', data: n }] });
    await append(0);

    const openHandles = () => readdirSync(`/proc/${gateway.pid}/fd`).length;
    const limit = openHandles() + 20;
    execFileSync('prlimit', ['--pid', String(gateway.pid), `--nofile=${limit}:${limit}`]);
    const sockets: Socket[] = [];
    for (let n = 0; n < 60; n += 1) sockets.push(await openSocket(gateway.url));
    await expect.poll(openHandles).toBeGreaterThanOrEqual(limit);
    expect((await append(1)).version).toBe(1);

    for (const socket of sockets) socket.destroy();
    await expect.poll(openHandles, { timeout: 20_000 }).toBeLessThan(limit);
    const other = await connect(gateway.url);
    cleanUps.push(() => other.close());
    expect(await other.getVersion({ storeId: 'default', streamId: 's' })).toEqual({ version: 1 });
  },
  60_000,
);
