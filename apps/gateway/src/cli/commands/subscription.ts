import type { RemoteGater } from '@esdb-gater/client';
import { describeValue } from '@esdb-gater/primitives';
import type { ParkedEvent, ResultOf, SaveSubscriptionParams } from '@esdb-gater/protocol';
import { GaterError, LIMITS, type Subscription, type SubscriptionType } from '@esdb-gater/types';
import {
  type CommonOptions,
  connectGateway,
  integerArgument,
  jsonArgument,
  outputOf,
  type Terminal,
} from '../context.ts';
import { UsageError } from '../exit.ts';
import { putJson } from '../http-request.ts';
import { jsonLine, plain } from '../output.ts';
import { eventLine, readableTime, shorten, writeList } from '../table.ts';
import { watching } from '../watch.ts';
import type { StateOptions } from './channels.ts';

/** `subscription list`: prints the persistent subscriptions of a store. */
export async function subscriptionList(
  options: StateOptions,
  terminal: Terminal,
): Promise<number | undefined> {
  const { store: storeId } = options;
  await using client = await connectGateway(options, terminal);
  const output = outputOf(options, terminal);
  return await watching(options, terminal, async () => {
    const { subscriptions } = await client.getSubscriptions({ storeId }, { signal: terminal.interrupted });
    await writeList(output, subscriptions, {
      head: ['NAME', 'CHECKPOINT', 'LAG', 'PARKED', 'CONSUMERS', 'CREATED', 'SELECTS'],
      row: (one) => [
        one.name,
        String(one.checkpoint),
        String(one.lag),
        String(one.parked),
        String(one.subscribers),
        readableTime(one.createdAt),
        `${one.type} ${shorten(JSON.stringify(one.selector), 60)}`,
      ],
      none: `the store ${storeId} has no subscriptions`,
    });
    return undefined;
  });
}

export interface CreateOptions extends CommonOptions {
  readonly stream?: string;
  readonly all?: boolean;
  readonly type?: readonly string[];
  readonly tag?: readonly string[];
  readonly anyTag?: readonly string[];
  readonly pattern?: string;
  readonly payload?: string;
  readonly from?: string;
  readonly maxInFlight?: string;
  readonly ackTimeoutMs?: string;
  readonly maxRetries?: string;
}

/** `subscription create NAME`: makes a persistent subscription, which begins to keep its place at once. */
export async function subscriptionCreate(
  name: string,
  options: CreateOptions,
  terminal: Terminal,
): Promise<void> {
  const { maxInFlight, ackTimeoutMs, maxRetries, from } = options;
  const params: SaveSubscriptionParams = {
    storeId: options.store,
    name,
    ...selectorOf(options),
    ...(from === undefined ? {} : { startFrom: startFrom(from) }),
    ...(maxInFlight === undefined ? {} : { maxInFlight: integerArgument('--max-in-flight', maxInFlight, 1) }),
    ...(ackTimeoutMs === undefined
      ? {}
      : { ackTimeoutMs: integerArgument('--ack-timeout-ms', ackTimeoutMs, 1) }),
    ...(maxRetries === undefined ? {} : { maxRetries: integerArgument('--max-retries', maxRetries, 0) }),
  };
  const subscription = await make(params, options, terminal);
  const output = outputOf(options, terminal);
  const text = `subscription ${name} continues from position ${subscription.checkpoint}`;
  await output.line(output.isForPeople ? plain(text) : jsonLine(subscription));
}

/**
 * Makes a subscription over HTTP, which does not join it: a consumer that joins gets events, which count as attempts. An
 * identity can be proved only over WebSocket.
 */
async function make(
  params: SaveSubscriptionParams,
  options: CommonOptions,
  terminal: Terminal,
): Promise<Subscription> {
  if (options.identityFile === undefined) {
    const { storeId, name, ...body } = params;
    const path = `/v1/stores/${encodeURIComponent(storeId)}/subscriptions/${encodeURIComponent(name)}`;
    const { subscription } = (await putJson(path, body, options, terminal)) as ResultOf<'saveSubscription'>;
    return subscription;
  }
  await using client = await connectGateway(options, terminal);
  const joined = await client.saveSubscription(params, { signal: terminal.interrupted });
  await joined.unsubscribe();
  return joined.subscription;
}

/** `subscription remove NAME`: removes a persistent subscription with its checkpoint and its parked events. */
export async function subscriptionRemove(
  name: string,
  options: CommonOptions,
  terminal: Terminal,
): Promise<void> {
  await using client = await connectGateway(options, terminal);
  const { removed } = await client.removeSubscription(
    { storeId: options.store, name },
    { signal: terminal.interrupted },
  );
  if (!removed) throw notFound(name);
  const output = outputOf(options, terminal);
  await output.line(output.isForPeople ? plain(`removed subscription ${name}`) : jsonLine({ removed }));
}

export interface ConsumeOptions extends CommonOptions {
  readonly count?: string;
}

/** `subscription consume NAME`: prints events, and acknowledges each one once it is written. */
export async function subscriptionConsume(
  name: string,
  options: ConsumeOptions,
  terminal: Terminal,
): Promise<void> {
  let left =
    options.count === undefined ? Number.POSITIVE_INFINITY : integerArgument('--count', options.count, 1);
  await using client = await connectGateway(options, terminal);
  const signal = terminal.interrupted;
  const { type, selector } = await find(client, options.store, name, signal);
  const output = outputOf(options, terminal);
  const events = await client.saveSubscription({ storeId: options.store, name, type, selector }, { signal });
  try {
    for await (const { event, attempt, ack } of events) {
      const text = output.isForPeople ? eventLine(event, output.columns) : jsonLine({ ...event, attempt });
      await output.line(text);
      await ack();
      left -= 1;
      if (left <= 0) break;
    }
  } catch (error) {
    // Ctrl-C is the usual end of this command.
    if (!signal.aborted) throw error;
  }
  if (!signal.aborted) await events.unsubscribe();
}

/** `subscription parked NAME`: prints the events that were given up. */
export async function subscriptionParked(
  name: string,
  options: ConsumeOptions,
  terminal: Terminal,
): Promise<void> {
  const count =
    options.count === undefined ? Number.POSITIVE_INFINITY : integerArgument('--count', options.count, 1);
  await using client = await connectGateway(options, terminal);
  const output = outputOf(options, terminal);
  let left = count;
  let after: number | undefined = 0;
  while (after !== undefined && left > 0) {
    const limit = Math.min(left, LIMITS.pageCount);
    const page: { readonly events: readonly ParkedEvent[]; readonly next?: number } = await client.listParked(
      { storeId: options.store, name, after, limit },
      { signal: terminal.interrupted },
    );
    await writeList(output, page.events, {
      head: ['POSITION', 'EVENT', 'TYPE', 'ATTEMPTS', 'PARKED', 'ID', 'REASON'],
      row: ({ event, attempts, parkedAt, reason }) => [
        String(event.position),
        `${event.streamId}@${event.version}`,
        event.type,
        String(attempts),
        readableTime(parkedAt),
        event.id,
        shorten(reason, 60),
      ],
      none: `subscription ${name} has no parked events`,
    });
    left -= page.events.length;
    after = page.next;
  }
}

/** `subscription replay NAME [ID…]`: delivers parked events again, all of them or those that are named. */
export async function subscriptionReplay(
  name: string,
  ids: readonly string[],
  options: CommonOptions,
  terminal: Terminal,
): Promise<void> {
  await using client = await connectGateway(options, terminal);
  const result = await client.replayParked(
    { storeId: options.store, name, ...(ids.length === 0 ? {} : { ids }) },
    { signal: terminal.interrupted },
  );
  const output = outputOf(options, terminal);
  await output.line(
    output.isForPeople ? `${result.count} parked events will be delivered again` : jsonLine(result),
  );
}

/** `subscription reset NAME --from N`: moves a persistent subscription to another position. */
export async function subscriptionReset(
  name: string,
  options: CommonOptions & { readonly from: string },
  terminal: Terminal,
): Promise<void> {
  const from = startFrom(options.from);
  await using client = await connectGateway(options, terminal);
  await client.resetSubscription(
    { storeId: options.store, name, startFrom: from },
    { signal: terminal.interrupted },
  );
  const output = outputOf(options, terminal);
  const where = from === 'latest' ? 'the end of the store' : `position ${from}`;
  const text = `subscription ${name} continues from ${where}`;
  await output.line(output.isForPeople ? plain(text) : jsonLine({ startFrom: from }));
}

/** @throws `subscription_not_found` */
async function find(
  client: RemoteGater,
  storeId: string,
  name: string,
  signal: AbortSignal,
): Promise<Subscription> {
  const { subscriptions } = await client.getSubscriptions({ storeId }, { signal });
  const found = subscriptions.find((one) => one.name === name);
  if (found === undefined) throw notFound(name);
  return found;
}

function notFound(name: string): GaterError {
  return new GaterError('subscription_not_found', `the subscription ${name} does not exist`);
}

/** Returns what exactly one of the options selects. @throws UsageError */
function selectorOf(options: CreateOptions): Pick<SaveSubscriptionParams, 'type' | 'selector'> {
  const { stream, all, type, tag, anyTag, pattern, payload } = options;
  const json = (flag: string, text: string) => jsonArgument(flag, text, 'selector');
  const given: readonly (readonly [SubscriptionType, unknown])[] = [
    ...(stream === undefined ? [] : [['stream', stream] as const]),
    ...(all === true ? [['stream', '$all'] as const] : []),
    ...(type === undefined ? [] : [['event_type', type.length === 1 ? type[0] : type] as const]),
    ...(tag === undefined ? [] : [['tags', { all: tag }] as const]),
    ...(anyTag === undefined ? [] : [['tags', { any: anyTag }] as const]),
    ...(pattern === undefined ? [] : [['event_pattern', json('--pattern', pattern)] as const]),
    ...(payload === undefined ? [] : [['event_payload', json('--payload', payload)] as const]),
  ];
  const [first] = given;
  if (first === undefined || given.length > 1) {
    throw new UsageError('give one of --stream, --all, --type, --tag, --any-tag, --pattern and --payload');
  }
  return { type: first[0], selector: first[1] as SaveSubscriptionParams['selector'] };
}

/** Parses `latest` or a position. @throws UsageError */
function startFrom(text: string): number | 'latest' {
  if (text === 'latest') return text;
  if (/^\d+$/.test(text)) return integerArgument('--from', text, 0);
  throw new UsageError(`--from must be latest or a position from 0, got ${describeValue(text)}`);
}
