import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createMemorySubscriptionState } from '@esdb-gater/event-store';
import { SingleFlight } from '@esdb-gater/primitives';
import { GaterError, type ParkedRecord, type SubscriptionState } from '@esdb-gater/types';
import { PRIVATE_MODE, writeFileAtomic } from '../node/atomic-file.ts';
import { readOptional } from '../node/data-dir.ts';

/** One change of the state: the method, and its arguments. Each may be made again. */
export type SubscriptionChange = {
  readonly [M in Exclude<keyof SubscriptionState, 'list' | 'load' | 'listParked'>]: readonly [
    method: M,
    ...args: Parameters<SubscriptionState[M]>,
  ];
}[Exclude<keyof SubscriptionState, 'list' | 'load' | 'listParked'>];

/** The file is written anew when it has so many more lines than are needed. */
const COMPACT_LINES = 10_000;

/** How many events may be parked: the state of a store that remote workers serve is kept in memory, too. */
const MAX_PARKED = 100_000;

const PAGE = 1_000;

export interface SubscriptionJournal {
  readonly state: SubscriptionState;
  readonly storeUuid: string | undefined;
  /** Makes a change that another node has made; checkpoints never move back by it. */
  take(change: SubscriptionChange): Promise<void>;
  /** Yields the changes that lead to the present state, on whatever earlier state. */
  changes(): AsyncIterable<SubscriptionChange>;
  /** Closes the file. Everything that was confirmed is in it. */
  close(): Promise<void>;
}

/**
 * Opens the persistent subscriptions of a store that remote workers serve: a file of changes, one JSON value per line,
 * that is applied to a state in memory. It belongs to the database that it was made with: for another `storeUuid` the
 * file is set aside. A last line without its line feed was never confirmed, and is dropped.
 *
 * @param onChange is called with each change of `state`, once it is in the file
 * @throws `unavailable` when the file cannot be read, or is damaged
 */
export async function openSubscriptionJournal(
  file: string,
  storeUuid: string | undefined,
  onChange: (change: SubscriptionChange) => void = () => {},
): Promise<SubscriptionJournal> {
  const state = createMemorySubscriptionState();
  const text = (await readOptional(file)) ?? '';
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const [head, ...lines] = whole.split('\n').slice(0, -1);
  const isSame =
    head !== undefined && (parseLine(file, head) as { storeUuid?: string }).storeUuid === storeUuid;
  if (isSame) for (const line of lines) await apply(state, parseLine(file, line) as SubscriptionChange);
  if (head !== undefined && !isSame) await writeFileAtomic(`${file}.former`, whole, PRIVATE_MODE);
  return new Journal(file, storeUuid, state, isSame ? whole : undefined, onChange);
}

class Journal implements SubscriptionJournal {
  readonly state: SubscriptionState;
  readonly storeUuid: string | undefined;
  readonly #onChange: (change: SubscriptionChange) => void;
  readonly #file: string;
  readonly #head: string;
  readonly #memory: SubscriptionState;
  readonly #writes = new SingleFlight(() => this.#write());
  #due: string[] = [];
  #handle: FileHandle | undefined;
  /** The length up to which the file is on disk; undefined while it must be written as a whole. */
  #bytes: number | undefined;
  #lines = 0;
  /** At least as many as are parked. It is counted anew when there seem to be too many. */
  #parked = MAX_PARKED;
  #compactAt = COMPACT_LINES;

  constructor(
    file: string,
    storeUuid: string | undefined,
    memory: SubscriptionState,
    whole: string | undefined,
    onChange: (change: SubscriptionChange) => void,
  ) {
    this.#file = file;
    this.storeUuid = storeUuid;
    this.#onChange = onChange;
    this.#head = `${JSON.stringify({ storeUuid })}\n`;
    this.#memory = memory;
    this.#bytes = whole === undefined ? undefined : Buffer.byteLength(whole);
    this.#lines = whole?.split('\n').length ?? 0;
    this.#compactAt = this.#lines + COMPACT_LINES;
    this.state = {
      list: () => memory.list(),
      load: (name) => memory.load(name),
      listParked: (name, filter) => memory.listParked(name, filter),
      create: (subscription) => this.#change(['create', subscription]),
      saveCheckpoint: (name, position) => this.#change(['saveCheckpoint', name, position]),
      reset: (name, startFrom, checkpoint) => this.#change(['reset', name, startFrom, checkpoint]),
      remove: (name) => this.#change(['remove', name]),
      park: async (name, record) => {
        await this.#checkParked();
        this.#parked += 1;
        await this.#change(['park', name, record]);
      },
      markReplay: (name, eventIds) =>
        this.#change(eventIds === undefined ? ['markReplay', name] : ['markReplay', name, eventIds]),
      unpark: (name, positions) => this.#change(['unpark', name, positions]),
    };
  }

  async take(change: SubscriptionChange): Promise<void> {
    if (change[0] === 'park') await this.#checkParked();
    await this.#make(change);
  }

  changes(): AsyncIterable<SubscriptionChange> {
    return changesOf(this.#memory);
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }

  async #checkParked(): Promise<void> {
    if (this.#parked < MAX_PARKED) return;
    const records = await this.#memory.list();
    this.#parked = records.reduce((sum, record) => sum + record.parked, 0);
    if (this.#parked < MAX_PARKED) return;
    throw new GaterError(
      'overloaded',
      `${MAX_PARKED} events of this store are parked; replay some of them, or remove a subscription`,
    );
  }

  async #change<Result>(change: SubscriptionChange): Promise<Result> {
    const result = await this.#make<Result>(change);
    this.#onChange(change);
    return result;
  }

  async #make<Result>(change: SubscriptionChange): Promise<Result> {
    const result = await apply(this.#memory, change);
    this.#due.push(`${JSON.stringify(change)}\n`);
    await this.#writes.run();
    return result as Result;
  }

  async #write(): Promise<void> {
    try {
      if (this.#bytes === undefined || this.#lines >= this.#compactAt) await this.#rewrite();
      else await this.#append(this.#bytes);
    } catch (error) {
      const { code = String(error) } = error as NodeJS.ErrnoException;
      throw new GaterError('unavailable', `cannot write ${this.#file}: ${code}`, { cause: error });
    }
  }

  async #append(at: number): Promise<void> {
    const lines = this.#due;
    if (lines.length === 0) return;
    this.#handle ??= await open(this.#file, 'r+');
    const bytes = Buffer.from(lines.join(''));
    // A write that failed before may have left a part of a line.
    await this.#handle.truncate(at);
    for (let written = 0; written < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, written, bytes.length - written, at + written);
      written += bytesWritten;
    }
    await this.#handle.datasync();
    this.#bytes = at + bytes.length;
    this.#lines += lines.length;
    this.#due = this.#due.slice(lines.length);
  }

  /** Writes the whole file, as short as it can be. */
  async #rewrite(): Promise<void> {
    const due = this.#due.length;
    const lines = [this.#head];
    for await (const change of changesOf(this.#memory)) lines.push(`${JSON.stringify(change)}\n`);
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
    await writeFileAtomic(this.#file, lines.join(''), PRIVATE_MODE);
    const former = this.#handle;
    this.#handle = undefined;
    await former?.close();
    this.#bytes = Buffer.byteLength(lines.join(''));
    this.#lines = lines.length;
    this.#compactAt = 2 * lines.length + COMPACT_LINES;
    // What came while the file was written is in it in part, and is written again: each change can be repeated.
    this.#due = this.#due.slice(due);
  }
}

/** Yields the changes that lead to a state. */
async function* changesOf(state: SubscriptionState): AsyncGenerator<SubscriptionChange> {
  for (const { parked: _, ...subscription } of await state.list()) {
    yield ['create', subscription];
    yield ['saveCheckpoint', subscription.name, subscription.checkpoint];
    for (const replaying of [false, true]) {
      let after: number | undefined = 0;
      while (after !== undefined) {
        const { records, more } = await state.listParked(subscription.name, {
          replaying,
          after,
          limit: PAGE,
        });
        for (const record of records) yield ['park', subscription.name, record];
        if (replaying && records.length > 0) yield ['markReplay', subscription.name, idsOf(records)];
        after = more ? records.at(-1)?.position : undefined;
      }
    }
  }
}

const idsOf = (records: readonly ParkedRecord[]): string[] => records.map(({ eventId }) => eventId);

async function apply(state: SubscriptionState, change: SubscriptionChange): Promise<unknown> {
  switch (change[0]) {
    case 'create':
      return state.create(change[1]);
    case 'saveCheckpoint':
      return state.saveCheckpoint(change[1], change[2]);
    case 'reset':
      return state.reset(change[1], change[2], change[3]);
    case 'remove':
      return state.remove(change[1]);
    case 'park':
      return state.park(change[1], change[2]);
    case 'markReplay':
      return state.markReplay(change[1], change[2]);
    case 'unpark':
      return state.unpark(change[1], change[2]);
  }
}

function parseLine(file: string, line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch (error) {
    throw new GaterError('unavailable', `${file} is damaged: a line is invalid JSON`, { cause: error });
  }
}
