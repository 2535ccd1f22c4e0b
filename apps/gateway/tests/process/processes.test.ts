import { createServer } from 'node:net';
import { connect, type RemoteGater } from '@esdb-gater/client';
import { GaterError } from '@esdb-gater/types';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  type GatewayProcess,
  runCli,
  startGatewayProcess,
  temporaryFolder,
} from '../support/gateway-process.ts';
import { freePort } from '../support/gateway-processes.ts';

const WAIT = { timeout: 20_000, interval: 20 };
const LAST_ID = '018f5e2c-0000-7000-8000-0000000000fe';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startTwo(flags: readonly string[] = []): Promise<GatewayProcess> {
  const folder = temporaryFolder();
  cleanUps.push(folder.remove);
  const gateway = await startGatewayProcess(folder.path, ['--processes', '2', '--node-id', 'g', ...flags]);
  cleanUps.push(() => gateway.stop());
  return gateway;
}

async function clientAt(url: string): Promise<RemoteGater> {
  const client = await connect(url, { retry: { baseDelayMs: 20, maxDelayMs: 200 } });
  cleanUps.push(() => client.close());
  return client;
}

/** Connects to each process of a gateway, the first one first. */
async function clientsOfEach(gateway: GatewayProcess): Promise<readonly [RemoteGater, RemoteGater]> {
  const { nodes } = await (await clientAt(gateway.url)).clusterInfo();
  const urlOf = (name: string): string => nodes.find(({ nodeId }) => nodeId === name)?.url ?? '';
  return [await clientAt(urlOf('g')), await clientAt(urlOf('g-2'))];
}

/** The ids of the gateway's processes by their numbers, those that were started last. */
function pidsOf({ log }: GatewayProcess): ReadonlyMap<number, number> {
  const pids = new Map<number, number>();
  for (const line of log) {
    const { msg, process, pid } = JSON.parse(line) as { msg: string; process: number; pid: number };
    if (msg === 'started a gateway process') pids.set(process, pid);
  }
  return pids;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('two processes on one port', () => {
  test('pass each message once and in order to the subscribers of both, whichever it is published at', {
    timeout: 60_000,
  }, async () => {
    const [one, two] = await clientsOfEach(await startTwo());
    const count = 400;
    const seen: unknown[][] = [[], []];
    for (const [index, client] of [one, two].entries()) {
      const subscription = await client.subscribe({ channel: 'system', topic: 'a.*' });
      void (async () => {
        for await (const { message } of subscription) seen[index]?.push(message);
      })();
    }
    const publishAt = async (client: RemoteGater, name: string): Promise<void> => {
      for (let n = 0; n < count; n += 1) {
        await client.publish({ channel: 'system', topic: `a.${name}`, message: `${name} ${n}` });
      }
    };
    await Promise.all([publishAt(one, 'one'), publishAt(two, 'two')]);
    const expected = Array.from({ length: count }, (_, n) => n);
    for (const messages of seen) {
      await vi.waitFor(() => expect(messages.length).toBeGreaterThanOrEqual(2 * count), WAIT);
      for (const name of ['one', 'two']) {
        const own = messages.filter((message) => String(message).startsWith(name));
        expect(own).toEqual(expected.map((n) => `${name} ${n}`));
      }
    }
  });

  test('serve the stores, subscriptions and the feed alike, and show each other', {
    timeout: 60_000,
  }, async () => {
    const gateway = await startTwo();
    const [one, two] = await clientsOfEach(gateway);
    const fed = await two.subscribe({ channel: 'events', topic: 'default.>' });
    const append = (client: RemoteGater, streamId: string) =>
      client.appendEvents({ storeId: 'default', streamId, events: [{ type: 'written', data: 1 }] });
    await append(one, 's-1');
    await append(two, 's-1');
    await expect(two.getVersion({ storeId: 'default', streamId: 's-1' })).resolves.toEqual({ version: 1 });
    const ids: string[] = [];
    for await (const { id } of fed) if (ids.push(id) === 2) break;
    const { events } = await one.getEvents({ storeId: 'default', streamId: 's-1' });
    expect(ids).toEqual(events.map(({ id }) => id));

    const subscription = { storeId: 'default', name: 'p', type: 'stream', selector: 's-1' } as const;
    const persistent = await two.saveSubscription(subscription);
    for await (const { event, ack } of persistent) {
      await ack();
      if (event.version === 1) break;
    }
    for (const client of [one, two]) {
      const { nodes, workers } = await client.clusterInfo();
      expect(nodes.map(({ nodeId }) => nodeId).toSorted()).toEqual(['g', 'g-2']);
      expect(workers.map(({ nodeId }) => nodeId)).toEqual(['g']);
      expect((await client.health()).status).toBe('healthy');
    }
    await expect(fetch(`${gateway.http}/readyz`).then(({ status }) => status)).resolves.toBe(200);
  });

  test('resume at one process from a position that the other gave', { timeout: 60_000 }, async () => {
    const [one, two] = await clientsOfEach(await startTwo());
    const { position = '' } = await one.publish({ channel: 'system', topic: 'a', message: 0 });
    for (const message of [1, 2]) await one.publish({ channel: 'system', topic: 'a', message });
    const resumed = await two.subscribe({ channel: 'system', topic: 'a', from: { position } });
    const messages: unknown[] = [];
    for await (const { message } of resumed) if (messages.push(message) === 2) break;
    expect(messages).toEqual([1, 2]);
  });

  test('each have their own metrics, at the ports from metrics.port on', { timeout: 60_000 }, async () => {
    const port = await freePort();
    await startTwo(['--metrics-port', String(port)]);
    for (const at of [port, port + 1]) {
      const text = await fetch(`http://127.0.0.1:${at}/metrics`).then((response) => response.text());
      expect(text).toContain('esdb_gater_');
    }
  });

  test.each([1, 2])(
    'lose nothing acknowledged when process %i is killed with -9 under load, and it starts again',
    {
      timeout: 120_000,
    },
    async (killed) => {
      const gateway = await startTwo();
      const watchers = await Promise.all(Array.from({ length: 4 }, () => clientAt(gateway.url)));
      const seenBy = watchers.map(() => new Set<string>());
      for (const [index, watcher] of watchers.entries()) {
        const subscription = await watcher.subscribe({ channel: 'events', topic: 'default.>' });
        void (async () => {
          for await (const { id } of subscription) seenBy[index]?.add(id);
        })();
      }
      const acknowledged = new Set<string>();
      let isStopping = false;
      const write = async (writer: number): Promise<void> => {
        const client = await clientAt(gateway.url);
        while (!isStopping) {
          const id = crypto.randomUUID();
          const events = [{ type: 'written', data: writer, id }];
          try {
            await client.appendEvents({ storeId: 'default', streamId: `w-${writer}`, events });
            acknowledged.add(id);
          } catch (error) {
            expect(GaterError.is(error) && error.retriable).toBe(true);
          }
        }
      };
      const writers = Array.from({ length: 8 }, (_, writer) => write(writer));
      await vi.waitFor(() => expect(acknowledged.size).toBeGreaterThan(200), WAIT);
      const pid = pidsOf(gateway).get(killed) ?? 0;
      process.kill(pid, 'SIGKILL');
      await vi.waitFor(() => expect(pidsOf(gateway).get(killed)).not.toBe(pid), WAIT);
      const before = acknowledged.size;
      await vi.waitFor(() => expect(acknowledged.size).toBeGreaterThan(before + 200), WAIT);
      isStopping = true;
      await Promise.all(writers);

      const reader = await clientAt(gateway.url);
      const last = { type: 'last', data: null, id: LAST_ID };
      await reader.appendEvents({ storeId: 'default', streamId: 'last', events: [last] });
      const stored = new Map<string, number>();
      for await (const { id } of reader.allEvents({ storeId: 'default' })) {
        stored.set(id, (stored.get(id) ?? 0) + 1);
      }
      expect([...acknowledged].filter((id) => stored.get(id) !== 1)).toEqual([]);
      for (const ids of seenBy) {
        await vi.waitFor(() => expect(ids.has(LAST_ID)).toBe(true), WAIT);
        expect([...stored.keys()].filter((id) => !ids.has(id))).toEqual([]);
      }
      const { nodes } = await reader.clusterInfo();
      expect(nodes.map(({ nodeId }) => nodeId).toSorted()).toEqual(['g', 'g-2']);
    },
  );

  test('stop gracefully on SIGTERM: connections close with 1001, and no process is left', {
    timeout: 60_000,
  }, async () => {
    const gateway = await startTwo();
    const sockets = Array.from({ length: 8 }, () => new WebSocket(gateway.url));
    const codes = sockets.map(
      (socket) => new Promise((resolve) => socket.addEventListener('close', ({ code }) => resolve(code))),
    );
    await Promise.all(
      sockets.map((socket) => new Promise((resolve) => socket.addEventListener('message', resolve))),
    );
    const pids = [...pidsOf(gateway).values()];
    expect(pids).toHaveLength(2);
    expect(await gateway.stop()).toBe(0);
    expect(await Promise.all(codes)).toEqual(codes.map(() => 1001));
    expect(pids.filter(isAlive)).toEqual([]);
    expect(gateway.log.filter((line) => line.includes('started again'))).toEqual([]);
  });

  test('end when their supervisor is killed', { timeout: 60_000 }, async () => {
    const gateway = await startTwo();
    const pids = [...pidsOf(gateway).values()];
    await gateway.kill9();
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), WAIT);
  });
});

describe('several processes are refused', () => {
  const start = (flags: readonly string[]) => {
    const folder = temporaryFolder();
    cleanUps.push(folder.remove);
    return runCli(['start', '--data-dir', folder.path, '--port', '0', ...flags]);
  };

  test.each([
    [['--processes', '0'], '`--processes` must be an integer from 1 to 64, got 0'],
    [['--processes', '1.5'], '`--processes` must be an integer from 1 to 64'],
    [
      ['--processes', '2', '--cluster-discovery', 'multicast', '--cluster-secret', 's'.repeat(32)],
      '`processes` must be 1 when cluster.discovery is multicast',
    ],
    [
      ['--processes', '3', '--metrics-port', '65534'],
      '`metrics.port` must be at most 65533 with 3 processes',
    ],
    [['--processes', '2', '--node-id', 'n'.repeat(63)], '`nodeId` must leave room'],
  ])('with %j', async (flags, message) => {
    const { code, stderr } = await start(flags);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('when the port is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    cleanUps.push(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const { code, stderr } = await start(['--processes', '2', '--port', String(port)]);
    expect(code).toBe(1);
    expect(stderr).toContain(`port: 127.0.0.1:${port} is in use`);
  });
});
