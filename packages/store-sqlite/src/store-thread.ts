import { Worker } from 'node:worker_threads';
import { GaterError } from '@esdb-gater/types';
import type { ChainChange } from './chain-rows.ts';
import type { FromThread, ThreadSetup } from './thread-messages.ts';

/** A running thread. */
export interface StoreThread {
  readonly worker: Worker;
  readonly storeUuid: string;
  readonly chains?: ChainChange;
}

/**
 * Starts a thread and lets it open its connection once `before` has resolved. Starting takes longer than opening, so
 * several threads start at once although they open one after the other.
 *
 * @throws `unavailable` when the file cannot be opened
 */
export async function startThread(setup: ThreadSetup, before?: Promise<unknown>): Promise<StoreThread> {
  // Tests run the sources: the thread must then resolve the sources of the other packages too.
  const fromSources = import.meta.url.endsWith('.ts');
  const worker = new Worker(new URL(`./sqlite-thread.${fromSources ? 'ts' : 'js'}`, import.meta.url), {
    workerData: setup,
    // Without the flags of this process, because some, such as --input-type, prevent a thread from starting.
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
    reject(new GaterError('unavailable', `cannot start the thread for the file ${setup.file}`, { cause }));
  worker.once('error', fail);
  worker.once('exit', fail);
  worker.once('message', (message: FromThread) => {
    worker.removeListener('exit', fail);
    worker.removeListener('error', fail);
    if (message.kind === 'ready') return resolve({ worker, ...message });
    // The thread ends itself after this message.
    if (message.kind === 'failed') {
      worker.once('error', () => {});
      reject(GaterError.fromData(message.error.message, message.error.data));
    }
  });
  return promise;
}
