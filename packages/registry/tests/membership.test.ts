import { attach, detach } from '@esdb-gater/telemetry';
import { GaterError, type MembershipEvent } from '@esdb-gater/types';
import { afterEach, describe, expect, test } from 'vitest';
import { createMembership } from '../src/membership/membership.ts';
import { createStaticDiscovery } from '../src/membership/static-discovery.ts';
import { FAILURE_TIMEOUT_MS, nameOf, SimulatedCluster, urlOf, workerOf } from './simulation/cluster.ts';
import type { Endpoint } from './simulation/network.ts';

const clusters: SimulatedCluster[] = [];

async function clusterOf(count: number): Promise<SimulatedCluster> {
  const cluster = new SimulatedCluster({ seed: 3 });
  clusters.push(cluster);
  await cluster.startMany(count);
  await cluster.until(() => cluster.agrees(), 10_000, 'all are members');
  return cluster;
}

afterEach(() => {
  for (const cluster of clusters.splice(0)) cluster.close();
  detach('test');
});

const idsOf = ({ membership }: Endpoint): string[] => membership.members().map(({ nodeId }) => nodeId);
const codesOf = ({ membership }: Endpoint): string[] =>
  membership.problems().map(({ code, nodeId }) => `${code} ${nodeId}`);

/** Collects the events of a node from now on. */
function eventsOf({ membership }: Endpoint): string[] {
  const events: string[] = [];
  void (async () => {
    for await (const event of membership.watch()) events.push(textOf(event));
  })();
  return events;
}

function textOf(event: MembershipEvent): string {
  if (event.kind === 'problems') return event.kind;
  const reason = event.kind === 'down' ? ` ${event.reason}` : '';
  return `${event.kind} ${event.node.nodeId}${reason}`;
}

describe('members', () => {
  test('are this node first, and each with its URL', async () => {
    const cluster = await clusterOf(2);
    const [self, other] = cluster.node(0).membership.members();
    expect(self).toMatchObject({ nodeId: nameOf(0), url: urlOf(nameOf(0)), status: 'alive', self: true });
    expect(other).toMatchObject({ nodeId: nameOf(1), url: urlOf(nameOf(1)), status: 'alive', self: false });
  });

  test('that die are suspected, and then removed as failed', async () => {
    const cluster = await clusterOf(3);
    const events = eventsOf(cluster.node(0));
    cluster.crash(cluster.node(1));
    await cluster.run(FAILURE_TIMEOUT_MS);
    expect(events).toEqual(['suspected node-0001', 'down node-0001 failed']);
  });

  test('that leave are removed as left', async () => {
    const cluster = await clusterOf(3);
    const events = eventsOf(cluster.node(0));
    cluster.node(1).membership.leave();
    await cluster.run(200);
    expect(events).toEqual(['down node-0001 left']);
  });

  test('whose link broke are asked at once, so that a killed process is removed sooner', async () => {
    const cluster = await clusterOf(3);
    const dead = cluster.node(1);
    cluster.crash(dead);
    for (const { membership } of cluster.live) membership.linkDown({ url: dead.url });
    for (const { membership } of cluster.live) membership.linkDown({ nodeId: dead.nodeId, url: dead.url });
    await cluster.run(1_900);
    expect(cluster.agrees()).toBe(true);
  });

  test('that do not answer a link that broke are not even suspected when another node reaches them', async () => {
    const cluster = await clusterOf(3);
    const [one, other] = [cluster.node(0), cluster.node(1)];
    const events = eventsOf(cluster.node(2));
    cluster.partition((from, to) => !(from === one && to === other));
    for (let round = 0; round < 20; round++) {
      one.membership.linkDown({ nodeId: other.nodeId, url: other.url });
      await cluster.run(500);
    }
    expect(cluster.agrees()).toBe(true);
    expect(events).toEqual([]);
  });

  test('[F13] on the other side of a partition are found again, although nobody lists them', async () => {
    const cluster = new SimulatedCluster({ seed: 3, seeds: 1 });
    clusters.push(cluster);
    await cluster.startMany(7);
    await cluster.until(() => cluster.agrees(), 10_000, 'all are members');
    cluster.crash(cluster.node(0));
    await cluster.until(() => cluster.agrees(), FAILURE_TIMEOUT_MS, 'the listed node is gone');
    const left = ({ nodeId }: Endpoint): boolean => nodeId < nameOf(4);
    cluster.partition((from, to) => left(from) === left(to));
    await cluster.run(30_000);
    expect(cluster.agrees()).toBe(false);
    cluster.heal();
    await cluster.until(() => cluster.agrees(), 10_000, 'they are one cluster again');
  });

  test('are told to telemetry with their number', async () => {
    const cluster = await clusterOf(2);
    const told: unknown[] = [];
    attach('test', (event, measurements, metadata) => {
      if (event.startsWith('esdb_gater.cluster')) told.push([event, measurements, metadata]);
    });
    const [other] = [cluster.node(1)];
    cluster.crash(other);
    await cluster.run(FAILURE_TIMEOUT_MS);
    const system_time = expect.any(Number);
    expect(told).toEqual([
      ['esdb_gater.cluster.node.down', { system_time }, { node: 'node-0001', member_count: 1 }],
    ]);
    cluster.start(nameOf(1));
    await cluster.run(3_000);
    expect(told.slice(1)).toContainEqual([
      'esdb_gater.cluster.node.up',
      { system_time },
      { node: 'node-0001', member_count: 2 },
    ]);
  });
});

describe('[F15] a node that starts again', () => {
  test('replaces its earlier process, also before that was missed', async () => {
    const cluster = await clusterOf(3);
    const before = cluster.node(1);
    before.membership.announce([workerOf('default', 'old')]);
    await cluster.run(500);
    const events = eventsOf(cluster.node(0));
    cluster.crash(before);
    const after = cluster.start(before.nodeId);
    await cluster.until(() => cluster.agrees(), FAILURE_TIMEOUT_MS, 'it is back');
    expect(events.filter((event) => !event.startsWith('suspected'))).toEqual([
      'down node-0001 replaced',
      'up node-0001',
    ]);
    expect(cluster.node(0).membership.workersOf(after.nodeId)).toEqual([]);
  });

  test('with a clock that went back outbids what the others remember of it', async () => {
    const cluster = await clusterOf(3);
    const before = cluster.node(1);
    cluster.crash(before);
    await cluster.run(FAILURE_TIMEOUT_MS);
    const { incarnation } = before.membership.self;
    const after = cluster.start(before.nodeId, { incarnation: incarnation - 3_600_000 });
    await cluster.until(() => cluster.agrees(), FAILURE_TIMEOUT_MS, 'it is back');
    expect(after.membership.self.incarnation).toBeGreaterThan(incarnation);
  });

  test.each([
    ['the later one', 1],
    ['the earlier one', -1],
  ])(
    'as %s of two live processes with one id: the later one is the member, and both say so',
    async (_, more) => {
      const cluster = await clusterOf(4);
      const first = cluster.node(1);
      const { incarnation } = first.membership.self;
      const second = cluster.start(first.nodeId, {
        url: 'ws://copy:4590/v1/ws',
        incarnation: incarnation + more,
      });
      const [winner, loser] = more > 0 ? [second, first] : [first, second];
      const members = cluster.live.filter((node) => node !== loser);
      await cluster.until(() => cluster.agrees(members), 5_000, 'the later process is the member');
      await cluster.run(5_000);
      expect(cluster.agrees(members)).toBe(true);
      expect(idsOf(loser)).toEqual([loser.nodeId]);
      expect(codesOf(loser)).toEqual([`node_id_conflict ${loser.nodeId}`]);
      expect(members.flatMap(codesOf)).toContain(`node_id_conflict ${loser.nodeId}`);

      // Once the other one is gone, it becomes a member by itself.
      cluster.crash(winner);
      await cluster.until(() => cluster.agrees(), 15_000, 'the other one is a member');
      expect(codesOf(loser)).toEqual([]);
    },
  );
});

describe('a clock that is wrong', () => {
  test('is reported by those that observe the node, which stays a member', async () => {
    const cluster = await clusterOf(4);
    cluster.start(nameOf(4), { clockOffsetMs: -60_000 });
    await cluster.until(() => cluster.agrees(), 5_000, 'it is a member');
    await cluster.run(5_000);
    for (const node of cluster.live.slice(0, 4)) {
      expect(codesOf(node)).toEqual(['clock_wrong node-0004']);
      expect(node.membership.problems()[0]?.message).toMatch(/ (59|60)\d{3} ms behind /);
    }
    expect(codesOf(cluster.node(4)), 'it knows that it is its own').toEqual(['clock_wrong node-0004']);
    expect(cluster.agrees()).toBe(true);
  });

  test('is not reported of one that is right, whose offset is known', async () => {
    const cluster = await clusterOf(2);
    await cluster.run(2_000);
    expect(codesOf(cluster.node(0))).toEqual([]);
    expect(Math.abs(cluster.node(0).membership.members()[1]?.clockOffsetMs ?? 1_000)).toBeLessThan(20);
  });
});

describe('a rogue node [T21]', () => {
  const news = (from: Endpoint, ...records: readonly (readonly unknown[])[]): object => ({
    v: 1,
    from: [from.nodeId, from.membership.self.incarnation, 0, 0, from.url, 0],
    type: 'news',
    news: records,
  });

  test('cannot send in the name of another', async () => {
    const cluster = await clusterOf(3);
    const [a, b, c] = [cluster.node(0), cluster.node(1), cluster.node(2)];
    const { dropped } = a.membership.stats();
    a.membership.receive(c.nodeId, news(b, [b.nodeId, b.membership.self.incarnation, 9, 3, b.url, 0]));
    expect(a.membership.stats().dropped).toBe(dropped + 1);
    expect(idsOf(a)).toContain(b.nodeId);
  });

  test.each([undefined, null, 'text', [], { v: 1 }, { v: 2, type: 'ping' }])(
    'sends %j, which is dropped',
    async (value) => {
      const cluster = await clusterOf(1);
      const { membership } = cluster.node(0);
      membership.receive('node-x', value);
      expect(membership.stats()).toMatchObject({ received: 1, dropped: 1 });
      expect(membership.members()).toHaveLength(1);
    },
  );

  test('that says of others that they are dead only makes them prove that they live', async () => {
    const cluster = await clusterOf(5);
    const events = eventsOf(cluster.node(2));
    const rogue = cluster.node(0);
    for (let round = 0; round < 10; round++) {
      for (const { nodeId, membership } of cluster.live) {
        const { incarnation, url } = membership.self;
        cluster
          .node(1)
          .membership.receive(rogue.nodeId, news(rogue, [nodeId, incarnation, round, 2, url, 0]));
      }
      await cluster.run(300);
    }
    expect(events.filter((event) => event.startsWith('down'))).toEqual([]);
    expect(cluster.agrees()).toBe(true);
  });

  test('cannot make a node connect to what is not a member', async () => {
    const cluster = await clusterOf(2);
    const [rogue, asked] = [cluster.node(0), cluster.node(1)];
    const { sent } = asked.membership.stats();
    asked.membership.receive(rogue.nodeId, {
      ...news(rogue),
      type: 'ask',
      sequence: 1,
      target: { nodeId: 'victim', url: 'ws://victim:80' },
    });
    expect(asked.membership.stats().sent).toBe(sent);
  });

  test('that announces many nodes is bounded, which is reported', async () => {
    const cluster = await clusterOf(2);
    const [rogue, target] = [cluster.node(0), cluster.node(1)];
    for (let batch = 0; batch < 20; batch++) {
      const nodes = Array.from({ length: 256 }, (_, index) => `fake-${batch}-${index}`);
      target.membership.receive(
        rogue.nodeId,
        news(rogue, ...nodes.map((id) => [id, 1, 0, 0, `ws://${id}`, 0])),
      );
    }
    expect(target.membership.members()).toHaveLength(4_097);
    expect(codesOf(target)).toContain(`too_many_members ${target.nodeId}`);
  });
});

describe('the workers of a node', () => {
  test('beyond the bounds are not announced, which is reported', async () => {
    const cluster = await clusterOf(2);
    const [self, other] = [cluster.node(0), cluster.node(1)];
    self.membership.announce(Array.from({ length: 5_000 }, (_, index) => workerOf(`s${index}`, 'w')));
    await cluster.run(2_000);
    const announced = self.membership.workersOf(self.nodeId);
    expect(JSON.stringify(announced).length).toBeLessThanOrEqual(262_144);
    expect(other.membership.workersOf(self.nodeId)).toEqual(announced);
    expect(codesOf(self)).toEqual([`too_many_workers ${self.nodeId}`]);
    self.membership.announce([workerOf('s1', 'w')]);
    await cluster.run(1_000);
    expect(other.membership.workersOf(self.nodeId)).toHaveLength(1);
    expect(codesOf(self)).toEqual([]);
  });

  test('that are announced again without a change cost nothing', async () => {
    const cluster = await clusterOf(2);
    const events = eventsOf(cluster.node(1));
    cluster.node(0).membership.announce([workerOf('s1', 'w')]);
    cluster.node(0).membership.announce([workerOf('s1', 'w')]);
    await cluster.run(1_000);
    expect(events).toEqual(['workers node-0000']);
  });
});

test('a closed membership sends nothing, and its watchers end', async () => {
  const cluster = await clusterOf(2);
  const { membership } = cluster.node(0);
  const watcher = membership.watch()[Symbol.asyncIterator]();
  membership.close();
  const { sent } = membership.stats();
  await cluster.run(5_000);
  membership.announce([workerOf('s1', 'w')]);
  membership.leave();
  expect(membership.stats().sent).toBe(sent);
  expect(await watcher.next()).toEqual({ done: true, value: undefined });
  expect((await membership.watch()[Symbol.asyncIterator]().next()).done).toBe(true);
});

test('a node whose discovery fails is warned of it, and tries again', async () => {
  const cluster = new SimulatedCluster({ seed: 1 });
  clusters.push(cluster);
  let attempts = 0;
  const membership = createMembership(
    {
      discovery: {
        async *watch() {
          attempts++;
          yield [];
          throw new GaterError('unavailable', 'no');
        },
        close: async () => {},
      },
      links: { send: () => {} },
      clock: cluster.scheduler.clock(0, 0, () => 0),
    },
    { nodeId: 'a', incarnation: 1, url: 'ws://a' },
  );
  await cluster.run(3_500);
  membership.close();
  expect(attempts).toBe(4);
});

test.each([
  [{ nodeId: '' }, 'nodeId'],
  [{ url: 'http://a' }, 'url'],
  [{ incarnation: -1 }, 'incarnation'],
  [{ failureTimeoutMs: 99 }, 'failureTimeoutMs'],
  [{ maxClockOffsetMs: 0 }, 'maxClockOffsetMs'],
])('the options %j are refused', (options, member) => {
  const components = { discovery: createStaticDiscovery({ peers: [] }), links: { send: () => {} } };
  const valid = { nodeId: 'a', incarnation: 1, url: 'ws://a' };
  expect(() => createMembership(components, { ...valid, ...options })).toThrow(
    expect.objectContaining({ code: 'invalid_argument', reason: 'membership_options', member }),
  );
});
