// Read, decide, append: the pattern of a Dynamic Consistency Boundary (dcb.events).
import {
  type EventQuery,
  type Gater,
  GaterError,
  type NewEvent,
  type RecordedEvent,
} from '@esdb-gater/client';

/** Where a decision is made: the store, and the events that it depends on. */
export interface Boundary {
  readonly gater: Gater;
  readonly storeId: string;
  readonly query: EventQuery;
}

/** What was decided: events to append to a stream, or only an answer. */
export interface Decision<Answer> {
  readonly answer: Answer;
  readonly append?: { readonly streamId: string; readonly events: readonly NewEvent[] };
}

/** How often a decision is made again because others changed what it depends on. */
const ATTEMPTS = 20;

/**
 * Reads the events that a decision depends on, decides, and appends under the condition that no other such event came in
 * between; otherwise begins again. Decisions that depend on other events never wait for each other.
 *
 * @throws `append_condition_failed` after 20 attempts
 */
export async function decide<Answer>(
  { gater, storeId, query }: Boundary,
  makeDecision: (events: readonly RecordedEvent[]) => Decision<Answer>,
): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    const { events, lastPosition } = await readMatching(gater, storeId, query);
    const { answer, append } = makeDecision(events);
    if (append === undefined) return answer;
    try {
      const condition = { failIfEventsMatch: query, after: lastPosition };
      await gater.appendEvents({ storeId, ...append, condition });
      return answer;
    } catch (error) {
      if (!GaterError.is(error, 'append_condition_failed') || attempt === ATTEMPTS) throw error;
    }
  }
}

async function readMatching(gater: Gater, storeId: string, query: EventQuery) {
  const events: RecordedEvent[] = [];
  let after = 0;
  for (;;) {
    const page = await gater.queryEvents({ storeId, query, after, limit: 1_000 });
    events.push(...page.events);
    if (page.next === undefined) return { events, lastPosition: page.lastPosition };
    after = page.next;
  }
}
