import type { NewBytesEvent, NewEvent, RecordedEvent } from '@esdb-gater/types';
import type { AnyEvent, Gater } from '../gater.ts';
import type { DeliveredEvent, EventSubscription } from '../subscriptions/event-subscription.ts';
import type { EventSchema } from './event-schema.ts';

/** The methods of a `Gater` whose parameters or results carry events, with events of any type. */
type EventMethods = Pick<
  Gater<NewEvent>,
  | 'appendEvents'
  | 'appendToStreams'
  | 'getEvents'
  | 'streamForward'
  | 'streamBackward'
  | 'readAll'
  | 'queryEvents'
  | 'events'
  | 'allEvents'
  | 'follow'
  | 'saveSubscription'
>;

/** Returns the same `Gater` with a schema: every event that it appends or gives back passes the schema first. */
export function withSchema<G extends Gater<NewEvent>>(gater: G, schema: EventSchema<AnyEvent, AnyEvent>): G {
  const { read, append } = schema;
  const readPage = async <Page extends { readonly events: readonly RecordedEvent[] }>(
    asked: Promise<Page>,
  ): Promise<Page> => {
    const page = await asked;
    return { ...page, events: await Promise.all(page.events.map(read)) };
  };
  const appendAll = async <Append extends { readonly events: readonly (NewEvent | NewBytesEvent)[] }>(
    params: Append,
  ): Promise<Append> => ({ ...params, events: await Promise.all(params.events.map(append)) });

  const methods: EventMethods = {
    appendEvents: async (params, options) => gater.appendEvents(await appendAll(params), options),
    async appendToStreams(params, options) {
      const appends = await Promise.all(params.appends.map(appendAll));
      return gater.appendToStreams({ ...params, appends }, options);
    },
    getEvents: (params, options) => readPage(gater.getEvents(params, options)),
    streamForward: (params, options) => readPage(gater.streamForward(params, options)),
    streamBackward: (params, options) => readPage(gater.streamBackward(params, options)),
    readAll: (params, options) => readPage(gater.readAll(params, options)),
    queryEvents: (params, options) => readPage(gater.queryEvents(params, options)),
    events: (params, options) => mapped(gater.events(params, options), read),
    allEvents: (params, options) => mapped(gater.allEvents(params, options), read),
    follow: (params, options) => mapped(gater.follow(params, options), read),
    saveSubscription: async (params, options) =>
      readDeliveries(await gater.saveSubscription(params, options), read),
  };
  // Getters stay getters: `hello` changes with the connection.
  return Object.defineProperties(
    {},
    { ...Object.getOwnPropertyDescriptors(gater), ...Object.getOwnPropertyDescriptors(methods) },
  ) as G;
}

type Read = EventSchema['read'];

/** Maps what an iterator gives. A generator would not end while it waits for the next event. */
function mapped(
  events: AsyncIterator<RecordedEvent, unknown>,
  read: Read,
): AsyncIterableIterator<RecordedEvent, undefined> {
  return {
    async next() {
      const { done, value } = await events.next();
      return done === true ? { done, value: undefined } : { done: false, value: await read(value) };
    },
    async return() {
      await events.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** An event that does not fit the schema fails the read of it, and is delivered again, as it is not acknowledged. */
function readDeliveries(joined: EventSubscription, read: Read): EventSubscription {
  return {
    get subscription() {
      return joined.subscription;
    },
    get position() {
      return joined.position;
    },
    unsubscribe: () => joined.unsubscribe(),
    [Symbol.asyncDispose]: () => joined[Symbol.asyncDispose](),
    [Symbol.asyncIterator](): AsyncIterator<DeliveredEvent<RecordedEvent>, undefined> {
      const deliveries = joined[Symbol.asyncIterator]();
      return {
        async next() {
          const { done, value } = await deliveries.next();
          if (done === true) return { done, value: undefined };
          return { done: false, value: { ...value, event: await read(value.event) } };
        },
      };
    },
  };
}
