import { type Limits, watchLimits } from './limits.ts';

const TOO_LATE = Symbol('the time limit came first');

/**
 * Waits until `holds()`, which is asked now and after each change. `onChange` adds a listener and returns a function
 * that removes it.
 *
 * @returns false when the time limit came first
 * @throws the signal's reason; the error of `holds`
 */
export async function waitUntil(
  holds: () => boolean,
  onChange: (listener: () => void) => () => void,
  limits: Omit<Limits, 'timeoutError'> = {},
): Promise<boolean> {
  if (holds()) return true;
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const remove = onChange(() => {
    try {
      if (holds()) resolve(true);
    } catch (error) {
      reject(error);
    }
  });
  const stop = watchLimits({ ...limits, timeoutError: () => TOO_LATE }, (error) => {
    if (error === TOO_LATE) resolve(false);
    else reject(error);
  });
  try {
    return await promise;
  } finally {
    remove();
    stop();
  }
}
