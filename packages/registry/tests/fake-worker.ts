import { GaterError, type StoreWorker } from '@esdb-gater/types';

export interface FakeWorker extends StoreWorker {
  /** Sets the behaviour of calls and probes from now on. */
  behave(how: 'answers' | 'hangs' | GaterError): void;
  /** The methods that were called, in order. */
  readonly calls: string[];
}

/** Parameters of a call that any worker of the tests takes. */
export const STREAM = { storeId: 'default', streamId: 's' } as const;

/** A worker of store `default` with scripted answers. */
export function fakeWorker(
  workerId: string,
  more: Partial<Omit<StoreWorker, 'call' | 'storeUuid'>> & { readonly storeUuid?: string | undefined } = {},
): FakeWorker {
  let how: 'answers' | 'hangs' | GaterError = 'answers';
  const calls: string[] = [];
  const { storeUuid = 'uuid-1', ...rest } = more;
  return {
    storeId: 'default',
    ...('storeUuid' in more && more.storeUuid === undefined ? {} : { storeUuid }),
    workerId,
    nodeId: 'node-a',
    incarnation: 1,
    registeredAt: 0,
    methods: ['getVersion', 'quickHealthCheck'],
    ...rest,
    calls,
    behave(next) {
      how = next;
    },
    // Ignores the signal, as a worker that hangs does.
    call: ((method) => {
      calls.push(method);
      if (how === 'hangs') return new Promise(() => {});
      return how === 'answers' ? Promise.resolve({ by: workerId }) : Promise.reject(how);
    }) as StoreWorker['call'],
  };
}

export const unavailable = (): GaterError => new GaterError('unavailable', 'the disk is gone');
