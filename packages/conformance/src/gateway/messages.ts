import assert from 'node:assert/strict';
import type { GatewayCase } from './harness.ts';

/** The promises about frames, messages and errors. */
export const messages: readonly GatewayCase[] = [
  {
    title: 'begins with hello, with a fresh nonce for each connection',
    async body({ connect }) {
      const [one, other] = [await connect(), await connect()];
      const [first] = one.messages as [{ method: string; params: Record<string, unknown> }];
      assert.equal(first.method, 'hello');
      for (const member of ['gatewayDid', 'nodeId', 'version', 'nonce', 'capabilities']) {
        assert.equal(typeof first.params[member], 'string', member);
      }
      assert.ok((first.params['methods'] as string[]).includes('appendEvents'));
      const limits = first.params['limits'] as Record<string, unknown>;
      for (const limit of ['frameBytes', 'messageBytes', 'inFlight', 'batch']) {
        assert.equal(typeof limits[limit], 'number', limit);
      }
      assert.notEqual(other.notices[0]?.params.nonce, first.params['nonce']);
    },
  },
  {
    title: 'speaks the subprotocol that is offered, and refuses a client that offers only others',
    async body({ connect }) {
      assert.equal((await connect()).socket.protocol, 'esdb-gater.v1');
      await assert.rejects(connect({ protocols: ['other.v9'] }));
    },
  },
  {
    title: 'answers an unknown method, invalid JSON and what is not a request with their numbers',
    async body({ connect }) {
      const client = await connect();
      const { error } = await client.call('noSuchMethod');
      assert.deepEqual([error?.code, error?.data.code], [-32601, 'not_supported']);
      client.send('{"jsonrpc":');
      client.send({ jsonrpc: '1.0', id: 1, method: 7 });
      const numbers = await client.until(() => {
        const found = client.messages.flatMap(
          (one) => (one as { error?: { code: number } }).error?.code ?? [],
        );
        return found.length >= 3 && found;
      }, 'the errors');
      assert.deepEqual(numbers, [-32601, -32700, -32600]);
      // The connection lives.
      await client.result('unsubscribe', { channel: 'system', topic: 'none' });
    },
  },
  {
    title: 'refuses parameters by position, missing ones and unknown ones as invalid_argument',
    async body({ connect, storeId }) {
      const client = await connect();
      for (const params of [
        ['x'],
        { storeId },
        { storeId, streamId: 's', unknown: 1 },
        { storeId, streamId: '$all' },
      ]) {
        const { error } = await client.call('getEvents', params);
        assert.deepEqual(
          [error?.code, error?.data.code, error?.data.retriable],
          [-32602, 'invalid_argument', false],
        );
      }
    },
  },
  {
    title: 'answers a batch in one message, without its notifications, and refuses an empty one',
    async body({ connect, storeId }) {
      const client = await connect();
      const request = { jsonrpc: '2.0', method: 'getVersion', params: { storeId, streamId: 'never-was' } };
      client.send([{ ...request, id: 'a' }, request, { ...request, id: 7 }]);
      const batch = await client.until(() => client.messages.find(Array.isArray), 'the answers of the batch');
      assert.deepEqual(
        batch.map(({ id, result }) => [id, result?.version]).sort(),
        [
          [7, -1],
          ['a', -1],
        ].sort(),
      );
      client.send([]);
      const empty = await client.until(
        () => client.messages.find((one) => (one as { error?: { code: number } }).error?.code === -32600),
        'the error of the empty batch',
      );
      assert.equal((empty as { id: unknown }).id, null);
    },
  },
  {
    title: 'closes with 1003 after a binary message',
    async body({ connect }) {
      const client = await connect();
      client.socket.send(new Uint8Array([1]));
      assert.equal(await client.closed, 1003);
    },
  },
  {
    title: 'closes with 1008 after more than 100 invalid messages in a row',
    async body({ connect }) {
      const client = await connect();
      for (let n = 0; n < 110; n++) client.send('invalid');
      assert.equal(await client.closed, 1008);
    },
  },
  {
    title: 'says how it is: health, its channels and its nodes',
    async body({ connect }) {
      const client = await connect();
      const health = await client.result('health');
      assert.ok(['healthy', 'degraded', 'unhealthy'].includes(health.status));
      assert.ok(
        health.nodes.some(({ nodeId }: { nodeId: string }) => nodeId === client.notices[0]?.params.nodeId),
      );
      const { channels } = await client.result('channelInfo');
      assert.deepEqual(channels.map(({ name }: { name: string }) => name).sort(), [
        'alerts',
        'audit',
        'diagnostics',
        'events',
        'health',
        'lifecycle',
        'logging',
        'metrics',
        'security',
        'system',
      ]);
    },
  },
];
