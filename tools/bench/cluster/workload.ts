/** The call that every contestant makes: a request of the protocol that reads the version of a stream. */
export const STORE_ID = 'trivial';
export const PARAMS = { storeId: STORE_ID, streamId: 'orders-0018f5e2c' } as const;

/** The version that the worker answers: the stream does not exist. */
export const VERSION = -1;

export interface CallOptions {
  /** Calls in flight at a time. */
  readonly inFlight: number;
  readonly durationMs: number;
}

/** The part of the time that warms up and does not count. */
const WARM_UP = 0.25;

/** Keeps calls in flight for a time. Resolves to the answered calls per second, without those of the warm-up. */
export async function driveCalls(
  { inFlight, durationMs }: CallOptions,
  call: () => Promise<void>,
): Promise<number> {
  const startAt = performance.now() + durationMs * WARM_UP;
  const endAt = startAt + durationMs;
  let answered = 0;
  const caller = async (): Promise<void> => {
    for (let now = performance.now(); now < endAt; now = performance.now()) {
      await call();
      if (now >= startAt) answered += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  return answered / ((performance.now() - startAt) / 1_000);
}
