import { randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { discoverySuite } from '@esdb-gater/conformance';
import { createFakeClock } from '@esdb-gater/primitives/testing';
import { type Logger, silentLogger } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { createMulticastDiscovery } from './index.ts';

const GROUP = '239.255.0.2';

/** Finds out whether this machine delivers multicast to itself. Returns the reason when it does not. */
function whyUnavailable(): Promise<string | undefined> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  return new Promise<string | undefined>((resolve) => {
    const timer = setTimeout(() => resolve('needs multicast: none arrives'), 1_000);
    const end = (reason?: string): void => {
      clearTimeout(timer);
      resolve(reason);
    };
    socket.on('error', (error) => end(`needs multicast: ${error.message}`));
    socket.on('message', () => end());
    socket.bind(0, () => {
      try {
        socket.addMembership(GROUP);
        socket.setMulticastLoopback(true);
        socket.send('hello', socket.address().port, GROUP, (error) => {
          if (error !== null) end(`needs multicast: ${error.message}`);
        });
      } catch (error) {
        end(`needs multicast: ${String(error)}`);
      }
    });
  }).finally(() => socket.close());
}

const reason = await whyUnavailable();

/** A free port: datagrams of other tests do not matter, as they have other secrets. */
function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket.bind(0, () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

describe.skipIf(reason !== undefined)(
  `discovery by multicast${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    const suite = discoverySuite({
      name: 'multicast',
      open: async () => {
        const options = { port: await freePort(), secrets: [randomUUID()], intervalMs: 200 };
        return {
          join: async (node) => createMulticastDiscovery({}, { node, ...options }),
          close: async () => {},
        };
      },
    });
    for (const { title, run } of suite) test(title, run);

    test('nodes with another secret are not found [T21]', async () => {
      const port = await freePort();
      const open = (nodeId: string, ...secrets: string[]) =>
        createMulticastDiscovery(
          {},
          { node: { nodeId, url: `ws://${nodeId}` }, secrets, port, intervalMs: 50 },
        );
      const [stranger, friend, self] = [
        open('stranger', 'wrong'),
        open('friend', 'old'),
        open('self', 'new', 'old'),
      ];
      for await (const nodes of self.watch({ signal: AbortSignal.timeout(10_000) })) {
        expect(nodes.map(({ nodeId }) => nodeId)).not.toContain('stranger');
        if (nodes.some(({ nodeId }) => nodeId === 'friend')) break;
      }
      await Promise.all([stranger, friend, self].map((one) => one.close()));
    });
  },
);

test('where multicast is not available one line says so, and nobody is found', async () => {
  const lines: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const note = (_: object, message: string): void => {
    lines.push(message);
    resolve();
  };
  const logger: Logger = { ...silentLogger, warn: note, error: note };
  const clock = createFakeClock();
  // The port is taken by a program that does not share it, which fails as a machine without multicast does.
  const owner = createSocket({ type: 'udp4', reuseAddr: false });
  const port = await new Promise<number>((bound) => owner.bind(0, () => bound(owner.address().port)));
  const node = { nodeId: 'a', url: 'ws://a.example:4590/v1/ws' };
  const discovery = createMulticastDiscovery({ logger, clock }, { node, secrets: ['s'], port });
  await promise;
  await clock.pass(60_000);
  expect(lines).toEqual(['multicast is not available: no nodes are found by it']);
  const first = await discovery
    .watch({ signal: new AbortController().signal })
    [Symbol.asyncIterator]()
    .next();
  expect(first.value).toEqual([]);
  await discovery.close();
  owner.close();
});

test.each([
  [{ secrets: [] }, 'secrets'],
  [{ secrets: [''] }, 'secrets'],
  [{ group: '10.0.0.1' }, 'group'],
  [{ group: 'example.com' }, 'group'],
  [{ port: 0 }, 'port'],
  [{ node: { nodeId: 'a', url: 'http://a' } }, 'node.url'],
])('the options %j are refused', (options, member) => {
  const valid = { node: { nodeId: 'a', url: 'ws://a' }, secrets: ['s'] };
  expect(() => createMulticastDiscovery({}, { ...valid, ...options })).toThrow(
    expect.objectContaining({ code: 'invalid_argument', reason: 'multicast_options', member }),
  );
});
