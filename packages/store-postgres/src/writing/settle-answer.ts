import {
  appendConditionFailed,
  checkDeleteVersion,
  checkedResult,
  isMissing,
  MISSING_STREAM,
  nextEpochUs,
  planAppend,
  planAppends,
  type StreamState,
} from '@esdb-gater/event-store';
import { ANY_VERSION, GaterError, type StreamAppendResult } from '@esdb-gater/types';
import type { FoundEvent, WriteAnswer, WriteRequest } from './write-request.ts';

/** The answer to an append whose condition has to be checked outside of the transaction first. */
export const UNCHECKED = 'unchecked';
export type Unchecked = typeof UNCHECKED;

/**
 * Checks what does not depend on the store: that no id stands twice in an append.
 *
 * @throws `invalid_argument` (reason `id_conflict`)
 */
export function checkRequest({ parts }: WriteRequest): void {
  for (const part of parts) {
    planAppend({ ...part, expectedVersion: ANY_VERSION }, MISSING_STREAM, () => undefined);
  }
}

/**
 * Returns the results of a request, one for each part. For one that was not written, the rules that all stores share find the
 * reason, or that it was written before.
 *
 * @throws what an append or a delete throws
 */
export function settleAnswer(
  request: WriteRequest,
  answer: WriteAnswer,
  nowMs: number,
): readonly StreamAppendResult[] | Unchecked {
  switch (answer.kind) {
    case 'written':
      return request.parts.map((part, index) => {
        const { version, position } = answer.parts[index] ?? { version: -1, position: 0 };
        const count = part.events.length;
        if (count === 0) return checkedResult(part, { version, hiddenThrough: -1 });
        return { version, position, count, duplicate: false };
      });
    case 'condition':
      throw appendConditionFailed(answer.position);
    case 'unchecked':
      return UNCHECKED;
    case 'clock':
      nextEpochUs(nowMs, 0);
      break;
    case 'refused':
      return settleRefused(request, answer.states, answer.found);
  }
  throw disagreement();
}

function settleRefused(
  { kind, parts }: WriteRequest,
  states: readonly StreamState[],
  found: readonly FoundEvent[],
): readonly StreamAppendResult[] {
  const stateOf = (index: number): StreamState => {
    const state = states[index];
    return state === undefined || isMissing(state) ? MISSING_STREAM : state;
  };
  if (kind === 'delete') {
    const [part] = parts;
    if (part !== undefined) checkDeleteVersion(part.streamId, part.expectedVersion, stateOf(0));
    throw disagreement();
  }
  const byPart = new Map<string, FoundEvent>();
  for (const event of found) byPart.set(`${event.part} ${event.idKey}`, event);
  const plan = planAppends(parts, stateOf, (index) => (key) => byPart.get(`${index} ${key}`));
  if (plan.kind === 'duplicate') return plan.results;
  throw disagreement();
}

/** The database refused what the rules of the stores allow: its functions are of another release. */
function disagreement(): GaterError {
  return new GaterError('internal', 'the function write_batch refused a write without a reason');
}
