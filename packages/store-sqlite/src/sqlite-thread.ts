import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { GaterError } from '@esdb-gater/types';
import { readMeta } from './meta.ts';
import { openForReading, openForWriting } from './open-database.ts';
import { Reader } from './reader.ts';
import { fromSqlite } from './sqlite-errors.ts';
import type {
  CallMessage,
  FromThread,
  ThreadAnswer,
  ThreadCall,
  ThreadSetup,
  ToThread,
} from './thread-messages.ts';
import { toWire, Writer } from './writer.ts';

/** Answers that are gathered into one message, in characters of text. */
const GATHERED_CHARACTERS = 262_144;

/** What a thread does with the calls of a message. */
interface Served {
  run(message: CallMessage, post: (message: FromThread) => void): void;
  close(): void;
}

function serveWriter(setup: ThreadSetup): { served: Served; storeUuid: string } {
  const database = openForWriting(setup);
  const storeUuid = readMeta(database, 'store_uuid', setup.file) as string;
  const writer = new Writer(database, setup.file);
  return {
    storeUuid,
    served: { run: (message, post) => post(writer.run(message)), close: () => writer.close() },
  };
}

function serveReader(setup: ThreadSetup): { served: Served; storeUuid: string } {
  const database = openForReading(setup);
  const storeUuid = readMeta(database, 'store_uuid', setup.file) as string;
  const reader = new Reader(database, setup.storeId, setup.file);
  const answer = (call: ThreadCall): ThreadAnswer => {
    try {
      return [call[0], reader.perform(call)];
    } catch (error) {
      return [call[0], undefined, toWire(fromSqlite(error, setup.file))];
    }
  };
  return {
    storeUuid,
    served: { run: (message, post) => gather(message, answer, post), close: () => reader.close() },
  };
}

/** One message for many small answers, and one each for those that are large. */
function gather(
  { calls }: CallMessage,
  answer: (call: ThreadCall) => ThreadAnswer,
  post: (message: FromThread) => void,
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

function main(port: MessagePort, setup: ThreadSetup): void {
  const post = (message: FromThread): void => port.postMessage(message);
  let served: Served | undefined;
  const open = (): void => {
    try {
      const opened = setup.role === 'writer' ? serveWriter(setup) : serveReader(setup);
      served = opened.served;
      post({ kind: 'ready', storeUuid: opened.storeUuid });
    } catch (error) {
      post({ kind: 'failed', error: toWire(openError(error, setup.file)) });
      port.close();
    }
  };
  port.on('message', (message: ToThread) => {
    if (message.kind === 'open') return open();
    if (message.kind === 'calls') return served?.run(message, post);
    served?.close();
    port.close();
  });
}

/** A store that cannot be opened is `unavailable`, whatever the reason; the message says it. */
function openError(error: unknown, file: string): GaterError {
  return new GaterError('unavailable', fromSqlite(error, file).message);
}

if (parentPort === null) throw new Error('this module is the body of a worker thread');
main(parentPort, workerData as ThreadSetup);
