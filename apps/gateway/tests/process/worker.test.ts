import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type Gater } from '@esdb-gater/client';
import { createToken, Identity } from '@esdb-gater/security';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import {
  type GatewayProcess,
  runCli,
  startGatewayProcess,
  temporaryFolder,
} from '../support/gateway-process.ts';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts';

const WAIT = { timeout: 20_000, interval: 50 };

const folder = temporaryFolder();
const gateways: GatewayProcess[] = [];
const workers: WorkerProcess[] = [];
const clients: Gater[] = [];
let names = 0;

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await Promise.all(workers.splice(0).map((worker) => worker.kill9()));
  await Promise.all(gateways.splice(0).map((gateway) => gateway.kill9()));
});
afterAll(() => folder.remove());

async function gateway(name: string, flags: readonly string[] = []): Promise<GatewayProcess> {
  const started = await startGatewayProcess(join(folder.path, name), ['--stores', '{}', ...flags]);
  gateways.push(started);
  return started;
}

function worker(flags: readonly string[]): WorkerProcess {
  const started = startWorkerProcess(flags);
  workers.push(started);
  return started;
}

async function clientOf(url: string): Promise<Gater> {
  const client = await connect(url);
  clients.push(client);
  return client;
}

const freshFile = (): string => join(folder.path, `store-${names++}.db`);

test('a worker process serves a store through two gateways, with everything that the store can do', async () => {
  const [a, b] = await Promise.all([gateway('a'), gateway('b')]);
  const flags = ['--store', 'orders', '--sqlite', freshFile(), '--worker-id', 'w1', '--tamper-evident'];
  const process = worker([...flags, '--connect', a.url, '--connect', b.url]);
  await process.until(2);
  const lines = process.serving.toSorted((one, other) =>
    String(one['url']).localeCompare(String(other['url'])),
  );
  expect(lines).toEqual(
    [a.url, b.url]
      .toSorted()
      .map((url) => ({ msg: 'serving', storeId: 'orders', workerId: 'w1', url, nodeId: expect.any(String) })),
  );

  const [atA, atB] = [await clientOf(a.url), await clientOf(b.url)];
  const stream = { storeId: 'orders', streamId: 's' };
  const followed = atB.follow({ storeId: 'orders' })[Symbol.asyncIterator]();
  const next = followed.next();
  expect(await atA.appendEvents({ ...stream, events: [{ type: 'a', data: 1, tags: ['t'] }] })).toMatchObject({
    version: 0,
  });
  // The gateway that did not make the append hears of the commit.
  expect((await next).value).toMatchObject({ streamId: 's', data: 1 });
  expect(await atB.verifyStream(stream)).toEqual({ verified: true });
  expect(await atB.versionAt({ ...stream, time: new Date().toISOString() })).toEqual({ version: 0 });
  const query = { items: [{ tags: ['t'] }] };
  expect(await atA.queryEvents({ storeId: 'orders', query })).toMatchObject({ events: [{ type: 'a' }] });
  await atB.appendToStreams({
    storeId: 'orders',
    appends: [{ streamId: 'x', events: [{ type: 'b', data: 2 }] }],
  });
  const snapshot = { storeId: 'orders', sourceUuid: 'm', streamUuid: 's', version: 0 };
  await atA.recordSnapshot({ ...snapshot, record: { n: 1 } });
  expect(await atB.readSnapshot(snapshot)).toMatchObject({ record: { n: 1 } });
});

test('SIGTERM ends a worker in order: its calls are answered, its gateway knows, the exit code is 0', async () => {
  const one = await gateway('orderly');
  const file = freshFile();
  const process = worker(['--store', 'orders', '--sqlite', file, '--connect', one.url]);
  await process.until(1);
  const client = await clientOf(one.url);
  const append = (n: number) =>
    client.appendEvents({ storeId: 'orders', streamId: `s-${n}`, events: [{ type: 'a', data: n }] });
  await append(0);
  const inFlight = Array.from({ length: 50 }, (_, n) => append(n + 1));
  const code = process.stop();
  const settled = await Promise.allSettled(inFlight);
  expect(await code).toBe(0);
  const refusals = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []));
  // What came before the end was answered; what came after it found no worker.
  expect(refusals.filter((code) => code !== 'no_workers' && code !== 'retries_exhausted')).toEqual([]);
  await expect(client.quickHealthCheck({ storeId: 'orders' })).rejects.toMatchObject({ code: 'no_workers' });
  // The file is free, and has everything that was answered.
  await expect(
    runCli(['worker', '--store', 'orders', '--sqlite', file, '--connect', 'x://']),
  ).resolves.toMatchObject({
    code: 2,
  });
  const next = worker(['--store', 'orders', '--sqlite', file, '--connect', one.url]);
  await next.until(1);
  const { streams } = await client.getStreams({ storeId: 'orders', limit: 1_000 });
  const answered = settled.flatMap(({ status }, n) => (status === 'fulfilled' ? [`s-${n + 1}`] : []));
  expect(answered.filter((stream) => !streams.includes(stream))).toEqual([]);
});

test('a worker waits for its gateway, and registers again after each restart of it', async () => {
  const first = await gateway('restarted');
  const { port } = new URL(first.url);
  await first.kill9();
  const process = worker(['--store', 'orders', '--sqlite', freshFile(), '--connect', `127.0.0.1:${port}`]);
  await vi.waitFor(
    () => expect(process.errors.join()).toContain('cannot serve the store, trying again'),
    WAIT,
  );
  for (let run = 0; run < 2; run++) {
    const again = await gateway('restarted', ['--port', port]);
    const client = await clientOf(again.url);
    await vi.waitFor(
      async () => expect(await client.quickHealthCheck({ storeId: 'orders' })).toEqual({ workers: 1 }),
      WAIT,
    );
    await again.kill9();
  }
});

test('a store in use, a store of the gateway itself and a missing token are one line each, and exit 1', async () => {
  const one = await gateway('refusing', ['--stores', '{"own":{"engine":"memory"}}']);
  const strict = await gateway('strict', ['--security-capabilities', 'required']);
  const file = freshFile();
  const process = worker(['--store', 'orders', '--sqlite', file, '--connect', one.url]);
  await process.until(1);
  for (const [flags, message] of [
    [['--store', 'orders', '--sqlite', file, '--connect', one.url], /^unavailable: .*is open already/],
    [
      ['--store', 'own', '--sqlite', freshFile(), '--connect', one.url],
      /^invalid_argument: .*served by this gateway itself.*store_mismatch/,
    ],
    [
      ['--store', 'orders', '--sqlite', freshFile(), '--connect', strict.url],
      /^unauthorized: .*capability_required/,
    ],
    [
      ['--store', 'orders', '--sqlite', freshFile(), '--connect', one.url],
      /^invalid_argument: .*same storeUuid/,
    ],
  ] as const) {
    const { code, stdout, stderr } = await runCli(['worker', ...flags]);
    expect([code, stdout, stderr.trimEnd().split('\n').length]).toEqual([1, '', 1]);
    expect(stderr).toMatch(message);
  }
});

test('a worker presents the token of its file', async () => {
  const issuer = Identity.generate();
  const strict = await gateway('tokens', [
    ...['--security-capabilities', 'required'],
    ...['--security-trusted-issuers', issuer.did],
  ]);
  const { did: audience } = strict.log.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'listening');
  const tokenFile = join(folder.path, 'worker.token');
  const att = [{ with: 'esdb://default/worker/orders', can: 'worker/register' }];
  writeFileSync(tokenFile, createToken({ issuer, audience, att, lifetimeSeconds: 900 }));
  const process = worker([
    ...['--store', 'orders', '--sqlite', freshFile()],
    ...['--connect', strict.url, '--token-file', tokenFile],
  ]);
  await process.until(1);
  const other = [
    '--store',
    'other',
    '--sqlite',
    freshFile(),
    '--connect',
    strict.url,
    '--token-file',
    tokenFile,
  ];
  expect(await runCli(['worker', ...other])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^unauthorized: .*insufficient_permissions/),
  });
});

test.each([
  [['--store', 'a b', '--sqlite', 'x'], '--store must be'],
  [['--store', 'a'], 'give one of --sqlite FILE, --postgres URL and --postgres-file FILE'],
  [['--store', 'a', '--sqlite', 'x', '--postgres', 'y'], 'give one of'],
  [['--store', 'a', '--sqlite', 'x', '--worker-id', ''], '--worker-id must be'],
  [['--store', 'a', '--sqlite', 'x', '--connect', 'ftp://x'], '--connect must begin with'],
  [['--store', 'a', '--sqlite', 'x', '--token-file', '/none'], '--token-file: cannot read /none'],
])('%j is a wrong usage', async (flags, message) => {
  const { code, stderr } = await runCli(['worker', ...flags]);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});
