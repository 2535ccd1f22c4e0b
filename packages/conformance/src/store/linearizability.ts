import { type EventQuery, type EventStore, GaterError } from '@esdb-gater/types';
import { type CaseSpec, newEvents, readEverything } from './harness.ts';
import { type AppendStep, checkHistory, type Step } from './history.ts';

const CLIENTS = 12;
const CALLS_PER_CLIENT = 40;
const TAGS = ['a', 'b', 'c'];

/** Returns numbers from 0 to below `bound`, the same ones for the same seed. */
function createRandom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** One client: reads, decides by what it read last, and appends, while all others do the same. */
async function runClient(store: EventStore, seed: number, steps: Step[], tick: () => number): Promise<void> {
  const { storeId } = store;
  const random = createRandom(seed);
  let lastPosition = 0;
  const versions = new Map<string, number>();
  for (let call = 0; call < CALLS_PER_CLIENT; call += 1) {
    const tag = TAGS[random(TAGS.length)] as string;
    const query: EventQuery = { items: [{ tags: [tag] }] };
    const start = tick();
    if (random(3) === 0) {
      const page = await store.queryEvents({ storeId, query, limit: 1_000 });
      const positions = page.events.map(({ position }) => position);
      lastPosition = page.lastPosition;
      steps.push({ kind: 'query', start, end: tick(), query, positions, lastPosition });
      continue;
    }
    const streamId = `s${random(3)}`;
    const how = random(3);
    const asked = {
      streamId,
      count: 1 + random(2),
      ...(how === 0 ? {} : { condition: { query, after: lastPosition } }),
      ...(how === 1 ? {} : { expectedVersion: versions.get(streamId) ?? -1 }),
    };
    const outcome = await append(store, tag, asked);
    steps.push({ kind: 'append', start, end: tick(), ...asked, outcome });
    if ('actual' in outcome) versions.set(streamId, outcome.actual);
    if (!('refused' in outcome)) {
      lastPosition = outcome.position;
      versions.set(streamId, (await store.getVersion({ storeId, streamId })).version);
    }
  }
}

async function append(
  store: EventStore,
  tag: string,
  {
    streamId,
    count,
    condition,
    expectedVersion,
  }: Pick<AppendStep, 'streamId' | 'count' | 'condition' | 'expectedVersion'>,
): Promise<AppendStep['outcome']> {
  const params = {
    storeId: store.storeId,
    streamId,
    events: newEvents(count).map((event) => ({ ...event, tags: [tag] })),
    ...(condition && { condition: { failIfEventsMatch: condition.query, after: condition.after } }),
    ...(expectedVersion === undefined ? {} : { expectedVersion }),
  };
  try {
    const { position } = await store.appendEvents(params);
    return { position };
  } catch (error) {
    if (GaterError.is(error, 'append_condition_failed')) {
      return { refused: error.code, position: error.details.position };
    }
    if (GaterError.is(error, 'wrong_expected_version')) {
      return { refused: error.code, actual: error.details.actual };
    }
    throw error;
  }
}

export const linearizability: readonly CaseSpec[] = [
  {
    title:
      'a history of concurrent queries and appends, with versions and with conditions, is linearizable [F23]',
    needs: ['queries'],
    async body({ store }) {
      const steps: Step[] = [];
      let now = 0;
      const tick = (): number => ++now;
      await Promise.all(
        Array.from({ length: CLIENTS }, (_, client) => runClient(store, client + 1, steps, tick)),
      );
      checkHistory(steps, await readEverything(store));
    },
  },
];
