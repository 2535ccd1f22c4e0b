import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { waitUntil } from '@esdb-gater/primitives';
import {
  type Broker,
  type BrokerRecord,
  type ChannelName,
  GaterError,
  type JsonValue,
  type OutgoingRecord,
} from '@esdb-gater/types';

/** A broker under trial, and how it ends. */
export interface OpenedBroker {
  readonly broker: Broker;
  /** Closes the broker and what was started for it. Called once, also after `broker.close()`. */
  readonly close: () => Promise<void>;
}

/** What not every broker does. Cases that need what it does not support are not run. */
export interface BrokerSupports {
  /** A broker over the same records can be opened again; needs `reopen`. @default whether `reopen` is given */
  readonly reopening?: boolean;
  /** Records and positions outlive the broker object; needs `reopen`. @default false */
  readonly durability?: boolean;
}

/**
 * What a case may need: `boundedHistory` follows from `alertsHistory`, `epochs` from a broker that can be opened again
 * and then begins without records.
 */
export type BrokerFeature = keyof BrokerSupports | 'boundedHistory' | 'epochs';

/** How the suite gets the brokers that it tests. */
export interface BrokerSuiteOptions {
  /** The prefix of the cases' titles. */
  readonly name: string;
  /** Opens a broker without records. */
  readonly open: () => Promise<OpenedBroker>;
  /** Closes the broker and opens one over the same records, as far as they outlive it. */
  readonly reopen?: (opened: OpenedBroker) => Promise<OpenedBroker>;
  readonly supports?: BrokerSupports;
  /** The broker keeps only this many records of the channel `alerts`, at most 1 000. @default it keeps all */
  readonly alertsHistory?: number;
  /** How long a record may take from `append` to the tail. @default 15 000 */
  readonly patienceMs?: number;
}

/** What a case works with. */
export interface BrokerTrial {
  readonly broker: Broker;
  readonly patienceMs: number;
  /** How many records of the channel `alerts` the broker keeps; undefined where it keeps all. */
  readonly alertsHistory: number | undefined;
  /** Closes the broker, and opens one over the same records. Only where the suite was given `reopen`. */
  readonly reopen: () => Promise<Broker>;
}

/** A case before it is bound to a broker. */
export interface CaseSpec {
  readonly title: string;
  /** What the broker must support. @default nothing but what every broker does */
  readonly needs?: readonly BrokerFeature[];
  readonly body: (trial: BrokerTrial) => Promise<void>;
}

/** A record as `publish` would make it. */
export function record(
  topic: string,
  message: JsonValue,
  rest: Partial<OutgoingRecord> = {},
): OutgoingRecord {
  return {
    id: randomUUID(),
    topic,
    message,
    time: new Date().toISOString(),
    type: 'esdb_gater.message',
    source: 'esdb://default/channel/system',
    ...rest,
  };
}

/** What a tail has handed over so far. */
export interface Collected {
  readonly records: readonly BrokerRecord[];
  /** Resolves when there are `count`; rejects when they do not come in time. */
  until(count: number): Promise<readonly BrokerRecord[]>;
  stop(): void;
}

/** Tails a channel, from the moment in which the tail stands. */
export async function collect(
  { broker, patienceMs }: Pick<BrokerTrial, 'broker' | 'patienceMs'>,
  channel: ChannelName,
): Promise<Collected> {
  const records: BrokerRecord[] = [];
  const waiting = new Set<() => void>();
  const stop = broker.tail(channel, (batch) => {
    records.push(...batch);
    for (const check of waiting) check();
  });
  await broker.position(channel);
  const onBatch = (check: () => void): (() => void) => {
    waiting.add(check);
    return () => void waiting.delete(check);
  };
  const until = async (count: number): Promise<readonly BrokerRecord[]> => {
    const came = await waitUntil(() => records.length >= count, onBatch, { timeoutMs: patienceMs });
    assert.ok(came, `${records.length} of ${count} records came`);
    return records;
  };
  return { records, until, stop };
}

/** Every record of a channel between two positions. */
export async function readAll(
  broker: Broker,
  channel: ChannelName,
  after: string,
  until: string,
): Promise<BrokerRecord[]> {
  const records: BrokerRecord[] = [];
  for await (const batch of broker.read(channel, after, until)) records.push(...batch);
  return records;
}

/** Asserts that a call fails with that reason of `invalid_argument`. */
export async function refusesPosition(call: Promise<unknown>, reason: string): Promise<GaterError> {
  const error = await failureOf(call);
  assert.equal(error.code, 'invalid_argument', error.message);
  assert.equal(error.details['reason'], reason, error.message);
  return error;
}

/** The `GaterError` that a call fails with. */
export async function failureOf(call: Promise<unknown>): Promise<GaterError> {
  const error = await call.then(
    (result) => assert.fail(`expected a refusal, got ${JSON.stringify(result)}`),
    (reason: unknown) => reason,
  );
  assert.ok(GaterError.is(error), `expected a GaterError, got ${String(error)}`);
  return error;
}

export function messages(records: readonly BrokerRecord[]): readonly JsonValue[] {
  return records.map(({ message }) => message);
}
