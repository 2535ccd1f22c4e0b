import assert from 'node:assert/strict';
import type { EventQuery, RecordedEvent } from '@esdb-gater/types';

/** When a call was made and answered, by a counter that both increment. */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

/** An append that was answered: where its events went, or why it was refused. */
export interface AppendStep extends Interval {
  readonly kind: 'append';
  readonly streamId: string;
  readonly expectedVersion?: number;
  readonly condition?: { readonly query: EventQuery; readonly after: number };
  readonly count: number;
  readonly outcome:
    | { readonly position: number }
    | { readonly refused: 'wrong_expected_version'; readonly actual: number }
    | { readonly refused: 'append_condition_failed'; readonly position: number };
}

/** A query that was answered. */
export interface QueryStep extends Interval {
  readonly kind: 'query';
  readonly query: EventQuery;
  readonly positions: readonly number[];
  readonly lastPosition: number;
}

export type Step = AppendStep | QueryStep;

function matches({ items }: EventQuery, { type, tags }: RecordedEvent): boolean {
  return items.some(
    (item) =>
      (item.types === undefined || item.types.includes(type)) &&
      (item.tags ?? []).every((tag) => tags.includes(tag)),
  );
}

/**
 * Checks that a history of concurrent calls is linearizable: that each call could have happened at one moment between its
 * start and its end. The positions of a store say in which order its appends happened, so only this order has to be checked.
 *
 * @param events every event of the store, in the order of positions from 1
 * @throws an assertion error that names the first call that does not fit
 */
export function checkHistory(steps: readonly Step[], events: readonly RecordedEvent[]): void {
  const acknowledged = steps.map((step) => [step.end, reachedBy(step)] as const);
  const begun = steps.map((step) => [step.start, step.kind === 'append' ? reachedBy(step) : 0] as const);
  const highest = (list: readonly (readonly [number, number])[], before: number): number =>
    list.reduce((most, [time, position]) => (time < before ? Math.max(most, position) : most), 0);
  for (const step of steps) {
    // The store had at least what was acknowledged before the call, and at most what had been begun before its answer.
    const least = highest(acknowledged, step.start);
    const most = highest(begun, step.end);
    if (step.kind === 'query') checkQuery(step, events, least, most);
    else checkAppend(step, events, least, most);
  }
}

function reachedBy(step: Step): number {
  if (step.kind === 'query') return step.lastPosition;
  return 'refused' in step.outcome ? 0 : step.outcome.position;
}

function checkQuery(step: QueryStep, events: readonly RecordedEvent[], least: number, most: number): void {
  const what = JSON.stringify(step);
  assert.ok(step.lastPosition >= least, `it must see position ${least}: ${what}`);
  assert.ok(step.lastPosition <= most, `it must not see beyond position ${most}: ${what}`);
  const expected = events.slice(0, step.lastPosition).filter((event) => matches(step.query, event));
  assert.deepEqual(
    step.positions,
    expected.map(({ position }) => position),
    what,
  );
}

function checkAppend(step: AppendStep, events: readonly RecordedEvent[], least: number, most: number): void {
  const { outcome, streamId, expectedVersion, condition } = step;
  const what = JSON.stringify(step);
  const versionAt = (position: number): number =>
    events.slice(0, position).filter((event) => event.streamId === streamId).length - 1;
  const firstMatch =
    condition && events.slice(condition.after).find((event) => matches(condition.query, event));
  if (!('refused' in outcome)) {
    const before = outcome.position - step.count;
    assert.ok(before >= least, `it must come after position ${least}: ${what}`);
    if (expectedVersion !== undefined) assert.equal(versionAt(before), expectedVersion, what);
    const match = firstMatch?.position ?? Number.POSITIVE_INFINITY;
    assert.ok(match > before, `the event at position ${match} must refuse it: ${what}`);
    return;
  }
  if (outcome.refused === 'append_condition_failed') {
    assert.equal(outcome.position, firstMatch?.position, what);
    assert.ok(outcome.position <= most, `it must not see beyond position ${most}: ${what}`);
    return;
  }
  assert.notEqual(outcome.actual, expectedVersion, what);
  const moments = Array.from({ length: most - least + 1 }, (_, index) => least + index);
  assert.ok(
    moments.some((position) => versionAt(position) === outcome.actual),
    `the stream never was at version ${outcome.actual} meanwhile: ${what}`,
  );
}
