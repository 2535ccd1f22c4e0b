import { type EventStore, GaterError } from '@esdb-gater/types';
import { openConnection, type RawConnection } from '../gateway/raw-connection.ts';
import type { StartedWorker } from './suite.ts';

const PATIENCE_MS = 10_000;

const METHODS = [
  'appendEvents',
  'appendToStreams',
  'getEvents',
  'versionAt',
  'getVersion',
  'streamExists',
  'getStreams',
  'deleteStream',
  'verifyStream',
  'readAll',
  'queryEvents',
  'recordSnapshot',
  'readSnapshot',
  'listSnapshots',
  'deleteSnapshot',
] as const;

type StoreCalls = Pick<EventStore, (typeof METHODS)[number]>;

/** Opens a store that is served by a worker through a gateway, as its callers see it. */
export async function openRemoteStore({ url, storeId, token, stop }: StartedWorker): Promise<EventStore> {
  const connection = await openConnection(url, { token, patienceMs: PATIENCE_MS });
  const call = async (method: string, params: object): Promise<never> => {
    const { result, error } = await connection.call(method, params);
    if (error !== undefined) throw GaterError.fromData(error.message, error.data);
    return result as never;
  };
  const calls = Object.fromEntries(
    METHODS.map((method) => [method, (params: object) => call(method, params)]),
  ) as unknown as StoreCalls;
  return {
    ...calls,
    storeId,
    storeUuid: '',
    methods: METHODS,
    quickHealthCheck: async () => {
      await call('quickHealthCheck', { storeId });
      return {};
    },
    onCommitted: () => () => {},
    feedCheckpoint: { load: async () => ({ position: 0 }), save: async () => {} },
    close: () => end(connection, stop),
  };
}

async function end(connection: RawConnection, stop: () => Promise<void>): Promise<void> {
  connection.socket.close();
  await connection.closed;
  await stop();
}
