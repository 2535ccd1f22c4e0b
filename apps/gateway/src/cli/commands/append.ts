import { describeValue } from '@esdb-gater/primitives';
import {
  ANY_VERSION,
  type AppendCondition,
  LIMITS,
  type NewEvent,
  NO_STREAM,
  STREAM_EXISTS,
} from '@esdb-gater/types';
import { type CommonOptions, connectGateway, jsonArgument, outputOf, type Terminal } from '../context.ts';
import { UsageError } from '../exit.ts';
import { linesOf, parseLine } from '../lines.ts';

export interface AppendOptions extends CommonOptions {
  readonly type?: string;
  readonly data?: string;
  readonly id?: string;
  readonly metadata?: string;
  readonly tag?: readonly string[];
  readonly expectedVersion?: string;
  /** JSON: `{ failIfEventsMatch, after? }`. */
  readonly condition?: string;
}

/** `append STREAM`: appends one event of flags, or all events of NDJSON on standard input atomically. */
export async function append(streamId: string, options: AppendOptions, terminal: Terminal): Promise<void> {
  const expectedVersion = parseExpectedVersion(options.expectedVersion ?? 'any');
  const condition =
    options.condition === undefined
      ? undefined
      : (jsonArgument('--condition', options.condition, 'condition') as AppendCondition);
  const events =
    options.type === undefined ? await eventsFrom(options, terminal) : [eventOf(options.type, options)];
  await using client = await connectGateway(options, terminal);
  const result = await client.appendEvents(
    { storeId: options.store, streamId, expectedVersion, events, ...(condition && { condition }) },
    { signal: terminal.interrupted },
  );
  const what = `${result.count} ${result.count === 1 ? 'event' : 'events'}`;
  const where = `version ${result.version}, position ${result.position}`;
  const text = result.duplicate ? `${what} had been appended before: ${where}` : `appended ${what}: ${where}`;
  await outputOf(options, terminal).result(result, text);
}

/** Parses `any`, `none`, `exists`, or a version. @throws UsageError */
export function parseExpectedVersion(text: string): number {
  if (text === 'any') return ANY_VERSION;
  if (text === 'none') return NO_STREAM;
  if (text === 'exists') return STREAM_EXISTS;
  const version = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(version)) return version;
  throw new UsageError(
    `--expected-version must be a version from 0, any, none or exists, got ${describeValue(text)}`,
  );
}

function eventOf(type: string, options: AppendOptions): NewEvent {
  return {
    type,
    data: jsonArgument('--data', options.data ?? 'null', 'data') as NewEvent['data'],
    ...(options.id === undefined ? {} : { id: options.id }),
    ...(options.metadata === undefined
      ? {}
      : {
          metadata: jsonArgument('--metadata', options.metadata, 'metadata') as NonNullable<
            NewEvent['metadata']
          >,
        }),
    ...(options.tag === undefined ? {} : { tags: options.tag }),
  };
}

async function eventsFrom(options: AppendOptions, terminal: Terminal): Promise<NewEvent[]> {
  for (const flag of ['data', 'id', 'metadata', 'tag'] as const) {
    if (options[flag] !== undefined) throw new UsageError(`--${flag} needs --type`);
  }
  if (terminal.stdin.isTTY === true) {
    throw new UsageError('give --type and --data, or events as NDJSON on standard input');
  }
  const events: NewEvent[] = [];
  let units = 0;
  for await (const line of linesOf(terminal.stdin)) {
    events.push(parseLine(line) as NewEvent);
    units += line.text.length;
    if (units > LIMITS.frameBytes) {
      throw new UsageError(
        `one append must have at most ${LIMITS.frameBytes} bytes; "esdb-gater import" takes any number`,
      );
    }
    if (events.length > LIMITS.eventsPerAppend) {
      throw new UsageError(
        `one append must have at most ${LIMITS.eventsPerAppend} events; "esdb-gater import" takes any number`,
      );
    }
  }
  if (events.length === 0)
    throw new UsageError('standard input must have at least one event, as NDJSON of { type, data }');
  return events;
}
