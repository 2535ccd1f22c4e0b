import { fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { judgeClaim, type Verdict } from './judge-claim.ts';
import { compareProcesses, NODE_STATUSES, type NodeRecord } from './node-record.ts';

function record(more: Partial<NodeRecord> = {}): NodeRecord {
  return {
    nodeId: 'n',
    incarnation: 5,
    url: 'ws://n',
    version: 2,
    status: 'alive',
    workersVersion: 0,
    ...more,
  };
}

type Row = readonly [what: string, known: NodeRecord | undefined, claim: NodeRecord, verdict: Verdict];

const ROWS: readonly Row[] = [
  ['an unknown node is alive', undefined, record(), 'add'],
  ['an unknown node is suspected', undefined, record({ status: 'suspected' }), 'ignore'],
  ['an unknown node is dead', undefined, record({ status: 'dead' }), 'bury'],
  ['a member is alive', record(), record(), 'ignore'],
  [
    'a member has proved that it is alive',
    record({ status: 'suspected' }),
    record({ version: 3 }),
    'refresh',
  ],
  ['a member is suspected', record(), record({ status: 'suspected' }), 'suspect'],
  ['a suspect is suspected', record({ status: 'suspected' }), record({ status: 'suspected' }), 'ignore'],
  ['a suspect is dead', record({ status: 'suspected' }), record({ status: 'dead' }), 'ignore'],
  ['a member is dead', record(), record({ status: 'dead' }), 'suspect'],
  ['a member is dead, by a later version', record(), record({ status: 'dead', version: 3 }), 'suspect'],
  ['a member was dead before it refuted that', record(), record({ status: 'dead', version: 1 }), 'correct'],
  ['a member has left', record(), record({ status: 'left' }), 'remove'],
  ['a member has started again', record(), record({ incarnation: 6, version: 0 }), 'replace'],
  ['a later process of a member has died', record(), record({ incarnation: 6, status: 'dead' }), 'remove'],
  ['an earlier process of a member is alive', record(), record({ incarnation: 4, version: 9 }), 'correct'],
  [
    'an earlier process of a member has left',
    record(),
    record({ incarnation: 4, status: 'left' }),
    'correct',
  ],
  ['a dead node is alive', record({ status: 'dead' }), record(), 'correct'],
  ['a dead node is suspected', record({ status: 'dead' }), record({ status: 'suspected' }), 'correct'],
  ['a dead node has proved that it is alive', record({ status: 'dead' }), record({ version: 3 }), 'add'],
  [
    'a dead node has started again',
    record({ status: 'dead' }),
    record({ incarnation: 6, version: 0 }),
    'add',
  ],
  ['a dead node is dead', record({ status: 'dead' }), record({ status: 'dead' }), 'ignore'],
  [
    'a later process of a dead node is dead',
    record({ status: 'dead' }),
    record({ incarnation: 6, status: 'dead' }),
    'bury',
  ],
];

describe('a claim that', () => {
  test.each(ROWS)('%s', (_, known, claim, verdict) => expect(judgeClaim(known, claim)).toBe(verdict));
});

const records = fc.record({
  nodeId: fc.constant('n'),
  incarnation: fc.integer({ min: 0, max: 2 }),
  url: fc.constantFrom('ws://a', 'ws://b'),
  version: fc.integer({ min: 0, max: 2 }),
  status: fc.constantFrom(...NODE_STATUSES),
  workersVersion: fc.constant(0),
});

test('what is older never replaces what is newer, and is corrected unless both agree that the node is gone', () => {
  fc.assert(
    fc.property(records, records, (known, claim) => {
      const process = compareProcesses(claim, known);
      const older = process < 0 || (process === 0 && claim.version < known.version);
      if (!older) return;
      const verdict = judgeClaim(known, claim);
      const bothGone = ['dead', 'left'].includes(known.status) && ['dead', 'left'].includes(claim.status);
      expect(verdict).toBe(process === 0 && bothGone ? 'ignore' : 'correct');
    }),
  );
});

test('of two processes with one id every node keeps the same one, whichever it heard of first', () => {
  fc.assert(
    fc.property(records, records, (one, other) => {
      if (compareProcesses(one, other) === 0) return;
      const [a, b] = [
        { ...one, status: 'alive' },
        { ...other, status: 'alive' },
      ] as const;
      expect([judgeClaim(a, b), judgeClaim(b, a)].sort()).toEqual(['correct', 'replace']);
    }),
  );
});
