import { type Clock, GaterError, systemClock } from '@esdb-gater/types';
import { emit, hasHandlers } from './handlers.ts';

/**
 * Runs one request and emits its `request.start`, then `request.stop` or, when it fails, `request.error`. Without
 * handlers it only calls `run`.
 */
export function observeRequest<T>(
  storeId: string,
  requestType: string,
  run: () => Promise<T>,
  clock: Clock = systemClock,
): Promise<T> {
  return hasHandlers() ? observed(storeId, requestType, run, clock) : run();
}

async function observed<T>(
  store_id: string,
  request_type: string,
  run: () => Promise<T>,
  clock: Clock,
): Promise<T> {
  emit('esdb_gater.request.start', { system_time: clock.now() }, { store_id, request_type });
  const start = clock.monotonic();
  try {
    const value = await run();
    const duration = clock.monotonic() - start;
    emit('esdb_gater.request.stop', { duration }, { store_id, request_type, result: 'ok' });
    return value;
  } catch (error) {
    const duration = clock.monotonic() - start;
    const reason = GaterError.from(error).code;
    emit('esdb_gater.request.error', { duration }, { store_id, request_type, reason });
    throw error;
  }
}
