import { countLiveWorkers, type StoreCaller } from '@esdb-gater/client';
import type { MethodName, ParamsOf } from '@esdb-gater/protocol';
import type { Channels, GetStreamsParams, PublishParams, Registry } from '@esdb-gater/types';
import type { Authorizer } from '../access/authorizer.ts';
import type { Call } from '../access/caller.ts';
import { isEverything } from '../access/name-ranges.ts';
import type { Revocations } from '../access/revocations.ts';
import type { Handler } from './dispatcher.ts';
import type { HealthMonitor } from './health.ts';
import { listVisibleStreams, type StreamNames } from './list-streams.ts';

export interface HandlerComponents {
  readonly stores: StoreCaller;
  readonly channels: Channels;
  readonly registry: Registry;
  readonly health: HealthMonitor;
  readonly authorizer: Authorizer;
  readonly revocations: Revocations;
}

/** The store methods that this version serves. */
const STORE_METHODS = [
  'appendEvents',
  'getEvents',
  'streamForward',
  'streamBackward',
  'getVersion',
  'streamExists',
  'deleteStream',
  'readAll',
  'recordSnapshot',
  'readSnapshot',
  'listSnapshots',
  'deleteSnapshot',
] as const satisfies readonly MethodName[];

/** What the gateway serves for whoever calls, by method name. */
export function createHandlers(components: HandlerComponents): ReadonlyMap<MethodName, Handler> {
  const { stores, channels, registry, health, authorizer, revocations } = components;
  const handlers = new Map<MethodName, Handler>();
  const add = <M extends MethodName>(
    method: M,
    handler: (params: ParamsOf<M>, call: Call) => unknown,
  ): void => {
    handlers.set(method, handler as Handler);
  };
  const askStore = (method: MethodName) => (params: unknown, call: Call) =>
    stores.call(method, params, contextOf(call));

  for (const method of STORE_METHODS) add(method, askStore(method) as never);
  add('getStreams', (params, call) => {
    const ask = (one: GetStreamsParams) =>
      stores.call('getStreams', one, contextOf(call)) as Promise<StreamNames>;
    const ranges = authorizer.visibleRanges(
      { action: 'stream/read', target: { kind: 'store', storeId: params.storeId } },
      call,
    );
    if (isEverything(ranges)) return ask(params);
    return listVisibleStreams(ask, params, {
      ranges,
      isVisible: (streamId) =>
        authorizer.isVisible(
          { action: 'stream/read', target: { kind: 'stream', storeId: params.storeId, streamId } },
          call,
        ),
    });
  });
  add('health', () => health.health());
  add('quickHealthCheck', ({ storeId }) => countLiveWorkers(registry, storeId));
  add('publish', (params, call) => channels.publish(params as PublishParams, publishContext(call)));
  add('channelInfo', (_params, call) => ({
    channels: authorizer.visibleChannels(channels.channelInfo(), call),
  }));
  add('revokeToken', (params) => revocations.publish(params));
  return handlers;
}

function contextOf({ signal, traceparent, tracestate }: Call) {
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(tracestate === undefined ? {} : { tracestate }),
  };
}

/** Whose rate a message counts to: the audience of the token in force, else the address. Never the connection. */
function publishContext({ caller, grant, traceparent, tracestate }: Call) {
  return {
    publisher: grant?.audience ?? caller.address,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(tracestate === undefined ? {} : { tracestate }),
  };
}
