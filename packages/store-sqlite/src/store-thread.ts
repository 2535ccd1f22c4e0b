import { Worker } from 'node:worker_threads';
import { GaterError } from '@esdb-gater/types';
import type { FromThread, ThreadSetup } from './thread-messages.ts';

/** A started thread. */
export interface StoreThread {
  readonly worker: Worker;
  readonly storeUuid: string;
}

/**
 * Starts a thread, and has it open its connection once `before` has resolved: the start of a thread takes longer than
 * the opening, so that several start at once although they open one after the other. Run from sources, as tests do, the thread must be told to
 * find the sources of the other packages too; Node strips the types by itself.
 *
 * @throws `unavailable` when the file cannot be opened
 */
export async function startThread(setup: ThreadSetup, before?: Promise<unknown>): Promise<StoreThread> {
  const fromSources = import.meta.url.endsWith('.ts');
  const worker = new Worker(new URL(`./sqlite-thread.${fromSources ? 'ts' : 'js'}`, import.meta.url), {
    workerData: setup,
    // Not the flags of this process: some, such as --input-type, keep a thread from starting.
    execArgv: fromSources ? ['--conditions=@esdb-gater/source'] : [],
    name: `esdb-gater sqlite ${setup.role} ${setup.storeId}`,
  });
  const opened = waitUntilOpen(worker, setup);
  try {
    await before;
  } catch (error) {
    opened.catch(() => {});
    await worker.terminate();
    throw error;
  }
  worker.postMessage({ kind: 'open' });
  return opened;
}

function waitUntilOpen(worker: Worker, setup: ThreadSetup): Promise<StoreThread> {
  const { promise, resolve, reject } = Promise.withResolvers<StoreThread>();
  const fail = (cause?: unknown): void =>
    reject(new GaterError('unavailable', `the thread for the file ${setup.file} did not start`, { cause }));
  worker.once('error', fail);
  worker.once('exit', fail);
  worker.once('message', (message: FromThread) => {
    worker.removeListener('exit', fail);
    worker.removeListener('error', fail);
    if (message.kind === 'ready') return resolve({ worker, storeUuid: message.storeUuid });
    // The thread ends by itself after this message.
    if (message.kind === 'failed') {
      worker.once('error', () => {});
      reject(GaterError.fromData(message.error.message, message.error.data));
    }
  });
  return promise;
}
