import { countReach, fc } from '@esdb-gater/property-testing';
import { silentLogger } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { Simulation } from '../../tests/support/simulation.ts';

import { createKafkaLeases, type KafkaLease, type KafkaLeases } from './leases.ts';

const TTL = 5_000;

interface Node {
  readonly leases: KafkaLeases;
  readonly lease: KafkaLease;
}

function nodeOf(simulation: Simulation, nodeId: string): Node {
  const { clock, broker } = simulation.node(nodeId);
  const leases = createKafkaLeases(
    { clock, broker, logger: silentLogger, random: simulation.random },
    { nodeId, ttlMs: TTL },
  );
  return { leases, lease: leases.acquire('store-1') };
}

const holders = (nodes: readonly Node[]): number =>
  nodes.filter(({ lease }) => lease.epoch !== undefined).length;

describe('a lease over a log', () => {
  test('exactly one of three nodes acquires the lease, and keeps it', async () => {
    const simulation = new Simulation(1);
    const nodes = ['a', 'b', 'c'].map((id) => nodeOf(simulation, id));
    await simulation.run(TTL * 3);
    expect(holders(nodes)).toBe(1);
    const epochs = nodes.map(({ lease }) => lease.epoch);
    await simulation.run(TTL * 20);
    expect(nodes.map(({ lease }) => lease.epoch)).toEqual(epochs);
  });

  test('it moves when its node dies, with a greater epoch', async () => {
    const simulation = new Simulation(2);
    const nodes = ['a', 'b'].map((id) => nodeOf(simulation, id));
    await simulation.run(TTL * 3);
    const dead = nodes.findIndex(({ lease }) => lease.epoch !== undefined);
    const epoch = nodes[dead]?.lease.epoch ?? 0;
    simulation.cut(dead === 0 ? 'a' : 'b');
    await simulation.run(TTL * 2);
    expect(nodes[1 - dead]?.lease.epoch).toBeGreaterThan(epoch);
    expect(nodes[dead]?.lease.epoch).toBeUndefined();
  });

  test('one that is won by a claim that waited for long is renewed in time, and not lost', async () => {
    const simulation = new Simulation(5);
    simulation.cut('a');
    const { lease } = nodeOf(simulation, 'a');
    // The claim is written at once, but arrives late.
    simulation.at(TTL * 0.7, () => simulation.heal('a'));
    const told: (number | undefined)[] = [];
    lease.onChange((epoch) => told.push(epoch));
    await simulation.run(TTL * 4);
    expect(told).toHaveLength(1);
    expect(lease.epoch).toBe(told[0]);
  });

  test('a released lease is acquired by another node at once', async () => {
    const simulation = new Simulation(3);
    const [a, b] = ['a', 'b'].map((id) => nodeOf(simulation, id)) as [Node, Node];
    await simulation.run(TTL * 3);
    const [held, waiting] = a.lease.epoch === undefined ? [b, a] : [a, b];
    const told: (number | undefined)[] = [];
    waiting.lease.onChange((epoch) => told.push(epoch));
    void held.lease.release();
    expect(held.lease.epoch).toBeUndefined();
    await simulation.run(TTL / 2);
    expect(told).toHaveLength(1);
    expect(waiting.lease.epoch).toBe(told[0]);
  });

  test('a node that only observes a lease never claims it', async () => {
    const simulation = new Simulation(4);
    const a = nodeOf(simulation, 'a');
    const { clock, broker } = simulation.node('b');
    createKafkaLeases({ clock, broker }, { nodeId: 'b', ttlMs: TTL });
    await simulation.run(TTL);
    void a.leases.close();
    await simulation.run(TTL * 4);
    expect(new Set(simulation.log.map(({ value }) => (value as { holder: string }).holder))).toEqual(
      new Set(['a']),
    );
  });

  test('two nodes never believe at the same time that they hold the lease, whatever is delayed, cut off and healed, and one acquires it in the end', async () => {
    const reach = countReach({ cuts: 80, holders: 100 });
    const cuts = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(60_000), fc.nat(15_000)), {
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(fc.nat(), cuts, fc.nat(3_000), async (seed, list, mostDelayMs) => {
        const simulation = new Simulation(seed, mostDelayMs);
        const nodes = ['a', 'b', 'c'].map((id) => nodeOf(simulation, id));
        for (const [id, atMs, forMs] of list) {
          simulation.at(atMs, () => {
            simulation.cut(id);
            reach.count('cuts');
          });
          simulation.at(atMs + forMs, () => simulation.heal(id));
        }
        await simulation.run(80_000, () => expect(holders(nodes)).toBeLessThanOrEqual(1));
        simulation.calm();
        await simulation.run(TTL * 6, () => expect(holders(nodes)).toBeLessThanOrEqual(1));
        expect(holders(nodes)).toBe(1);
        // How often it went from one node to another.
        const names = simulation.log.map(({ value }) => (value as { holder: string }).holder);
        reach.count('holders', names.filter((name, at) => name !== names[at - 1]).length);
      }),
      { numRuns: 40 },
    );
    reach.check();
  }, 60_000);
});
