import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { GaterError } from '@esdb-gater/types';
import { switchChains } from './chain-rows.ts';
import { readMeta } from './meta.ts';
import { openForReading, openForWriting } from './open-database.ts';
import { Reader } from './reader.ts';
import { fromSqlite } from './sqlite-errors.ts';
import type {
  AnswerMessage,
  CallMessage,
  CallOf,
  FromThread,
  ReaderCalls,
  ThreadAnswer,
  ThreadReady,
  ThreadSetup,
  ToThread,
  WriterCalls,
} from './thread-messages.ts';
import { WriteQueue } from './write-queue.ts';
import { toWire, Writer } from './writer.ts';

/** The size of a message of several answers, in characters of text. */
const GATHERED_CHARACTERS = 262_144;

/** The handler of a thread's messages. */
interface Served<Call> extends Omit<ThreadReady, 'kind'> {
  run(message: CallMessage<Call>, post: (message: FromThread) => void): void;
  close(): void;
}

function serveWriter(setup: ThreadSetup): Served<CallOf<WriterCalls>> {
  const database = openForWriting(setup);
  const storeUuid = readMeta(database, 'store_uuid', setup.file) as string;
  const chains = switchChains(database, setup.file, setup.tamperEvident);
  const writer = new Writer(database, setup);
  // From here on the queue waits for the lock of another program: SQLite would block the thread.
  database.exec('PRAGMA busy_timeout = 0');
  const queue = new WriteQueue(writer, setup.busyTimeoutMs);
  return {
    storeUuid,
    ...(chains === undefined ? {} : { chains }),
    run: (message, post) => queue.run(message, post),
    close: () => writer.close(),
  };
}

function serveReader(setup: ThreadSetup): Served<CallOf<ReaderCalls>> {
  const database = openForReading(setup);
  const storeUuid = readMeta(database, 'store_uuid', setup.file) as string;
  const reader = new Reader(database, setup.storeId, setup.file);
  let damage: string | undefined;
  const answer = (call: CallOf<ReaderCalls>): ThreadAnswer => {
    try {
      return [call[0], reader.perform(call)];
    } catch (error) {
      const failure = fromSqlite(error, setup.file);
      if (failure.code === 'internal') damage ??= failure.message;
      return [call[0], undefined, toWire(failure)];
    }
  };
  return {
    storeUuid,
    run: (message, post) =>
      gather(message, answer, (sent) => post(damage === undefined ? sent : { ...sent, damage })),
    close: () => reader.close(),
  };
}

/** Posts small answers together and large ones one by one. */
function gather<Call>(
  { calls }: CallMessage<Call>,
  answer: (call: Call) => ThreadAnswer,
  post: (message: AnswerMessage) => void,
): void {
  let answers: ThreadAnswer[] = [];
  let characters = 0;
  for (const [index, call] of calls.entries()) {
    const answered = answer(call);
    answers.push(answered);
    characters += typeof answered[1] === 'string' ? answered[1].length : 0;
    const last = index === calls.length - 1;
    if (!last && characters < GATHERED_CHARACTERS) continue;
    post({ kind: 'answers', answers, last });
    answers = [];
    characters = 0;
  }
}

function main<Call>(
  port: MessagePort,
  setup: ThreadSetup,
  serve: (setup: ThreadSetup) => Served<Call>,
): void {
  const post = (message: FromThread): void => port.postMessage(message);
  let served: Served<Call> | undefined;
  const open = (): void => {
    try {
      served = serve(setup);
      const { storeUuid, chains } = served;
      post({ kind: 'ready', storeUuid, ...(chains === undefined ? {} : { chains }) });
    } catch (error) {
      post({ kind: 'failed', error: toWire(openError(error, setup.file)) });
      port.close();
    }
  };
  port.on('message', (message: ToThread<Call>) => {
    if (message.kind === 'open') return open();
    if (message.kind === 'calls') return served?.run(message, post);
    served?.close();
    port.close();
  });
}

/** Makes every failure to open `unavailable`; its message tells the reason. */
function openError(error: unknown, file: string): GaterError {
  return new GaterError('unavailable', fromSqlite(error, file).message);
}

if (parentPort === null) throw new Error('this module must run in a worker thread');
const setup: ThreadSetup = workerData;
if (setup.role === 'writer') main(parentPort, setup, serveWriter);
else main(parentPort, setup, serveReader);
