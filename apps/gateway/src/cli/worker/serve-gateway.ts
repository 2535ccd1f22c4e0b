import { connect, type ServedWorker, serveWorker } from '@esdb-gater/client';
import { onAbort, sleep, waitFor } from '@esdb-gater/primitives';
import { calculateDelay, retryPolicy } from '@esdb-gater/retry';
import type { Identity } from '@esdb-gater/security';
import { type Clock, GaterError, type Logger } from '@esdb-gater/types';
import { connectProblem } from '../connect-problem.ts';

export interface ServeGatewayOptions {
  readonly worker: ServedWorker;
  readonly workerId: string;
  /** Returns the token in force: it is read again for each connection, so that it can be renewed. */
  readonly token: () => string | undefined;
  readonly identity?: Identity;
}

export interface ServeGatewayComponents {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the serving. */
  readonly signal: AbortSignal;
  /** Is called once, when the gateway has registered the worker for the first time. */
  readonly onServing: (nodeId: string) => void;
  /** Is waited for between the end of the registration and that of the connection. */
  readonly beforeClose: () => Promise<unknown>;
}

const CONNECT_TIMEOUT_MS = 5_000;

/** At most ten seconds between two attempts: a gateway that restarts has its worker back soon. */
const BACKOFF = retryPolicy({ baseDelayMs: 200, maxDelayMs: 10_000 });

/**
 * Serves a worker through one gateway until the signal aborts. Waits for a gateway that cannot be reached, and registers
 * the worker again after each loss of the connection.
 *
 * @throws the refusal of the gateway: `unauthorized` before the first registration, `invalid_argument` (reason
 * `store_mismatch`) at any time
 */
export async function serveGateway(
  url: string,
  options: ServeGatewayOptions,
  components: ServeGatewayComponents,
): Promise<void> {
  const { clock, logger, signal } = components;
  let wasServed = false;
  let failures = 0;
  const onServing = (nodeId: string): void => {
    failures = 0;
    if (wasServed) logger.info({ url, nodeId }, `serving through ${url} again`);
    else components.onServing(nodeId);
    wasServed = true;
  };
  let told = '';
  while (!signal.aborted) {
    try {
      await serveOnce(url, options, { ...components, onServing });
    } catch (error) {
      if (signal.aborted) return;
      const failure = GaterError.from(connectProblem(url, error));
      // What was accepted before is accepted again once its token has been renewed; another database never is.
      if (!failure.retriable && !(wasServed && failure.code === 'unauthorized')) throw failure;
      if (failure.message !== told) logger.warn({ err: failure }, 'cannot serve the store, trying again');
      told = failure.message;
    }
    await sleep(calculateDelay(failures++, BACKOFF), clock, signal).catch(() => undefined);
  }
}

/** Connects and serves until the signal aborts. @throws why the connection cannot come back by itself */
async function serveOnce(
  url: string,
  { worker, workerId, token, identity }: ServeGatewayOptions,
  { clock, logger, signal, onServing, beforeClose }: ServeGatewayComponents,
): Promise<void> {
  const given = token();
  // The end of the signal must not end the connection before the calls in flight are answered.
  const connecting = new AbortController();
  const stopListening = onAbort(signal, (reason) => connecting.abort(reason));
  const client = await connect(
    url,
    {
      ...(given === undefined ? {} : { token: given }),
      ...(identity === undefined ? {} : { identity }),
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      signal: connecting.signal,
    },
    { clock },
  ).finally(stopListening);
  try {
    const served = await serveWorker(client.connection, worker, { workerId, clock, logger });
    onServing(client.hello.nodeId);
    try {
      await waitFor(served.ended, { signal });
    } finally {
      await served.close();
      await beforeClose();
    }
  } finally {
    await client.close();
  }
}
