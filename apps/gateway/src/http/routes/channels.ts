import type { OutgoingHttpHeaders } from 'node:http';
import { type Channels, type Clock, GaterError, invalidArgument, type Timer } from '@esdb-gater/types';
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Admission } from '../../access/admission.ts';
import type { Dispatcher } from '../../calls/dispatcher.ts';
import { bodyMembers, parseJson } from '../body.ts';
import { content, described, type Operation } from '../describe/operation.ts';
import { bodyOf, requireJsonType, searchOf, sendProblem } from '../http-app.ts';
import { type HttpCalls, partsOf, sendJson } from '../http-calls.ts';
import { PROBLEM_TYPE, problemOf } from '../problem.ts';
import { readQuery } from '../query.ts';
import { beginStream, COMMENT_EVERY_MS, sseEncoder, sseFrom, subscribedEvent, writeComment } from '../sse.ts';
import type { SseConnections } from '../sse-connections.ts';

export interface ChannelRouteComponents {
  readonly calls: HttpCalls;
  readonly dispatcher: Dispatcher;
  readonly channels: Channels;
  readonly streams: SseConnections;
  readonly admission: Admission;
  readonly clock: Clock;
}

export interface ChannelRouteOptions {
  readonly queueBytes: number;
  readonly queueMessages: number;
}

const MESSAGES = '/v1/channels/:channel/messages';

const SSE_QUERY = { topic: 'text', from: 'text' } as const;

const TIME_PATTERN =
  '^time:[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$';

/** One event of a stream, as its reader sees it. */
const SSE_EVENT = {
  title: 'ServerSentEvent',
  type: 'object',
  properties: {
    event: { type: 'string', enum: ['subscribed', 'message', 'replayed', 'dropped'] },
    id: { type: 'string', description: 'the position' },
    data: { type: 'string', description: 'JSON on one line' },
  },
  required: ['event', 'data'],
} as const;

const SUBSCRIBE: Operation = {
  id: 'subscribe',
  tag: 'Channels',
  method: 'subscribe',
  summary: 'Subscribes to a topic or a pattern by server-sent events.',
  description:
    'The first event is `subscribed` with `{ channel, topic, position }`. Then `message` has the parameters of the notification of the same name as its data, and its position as its id, `replayed` says that the replay has ended, and `dropped` that messages of low priority were lost. A comment comes every 15 seconds. To resume, a client hands back the id of the last event that it has seen: in the header `Last-Event-ID`, as browsers do and which wins, or in `from` as `position:<position>`.',
  query: described<typeof SSE_QUERY>({
    topic: 'topic',
    from: {
      type: 'string',
      default: 'latest',
      description: '`latest`, `earliest` or `time:<RFC 3339>`; also `position:<position>`',
      // Positions are opaque: one cannot be made up by a pattern, only handed back.
      anyOf: [{ enum: ['latest', 'earliest'] }, { pattern: TIME_PATTERN }],
    },
  }),
  requiredQuery: ['topic'],
  answers: {
    200: {
      description: 'A stream of events that does not end.',
      content: content(
        'text/event-stream',
        SSE_EVENT,
        'id: bTE6MQ\nevent: subscribed\ndata: {"channel":"events","topic":"orders.>","position":"bTE6MQ"}\n\n',
      ),
    },
    410: {
      description: 'The position is no longer held; `oldest` is the oldest that is.',
      content: content(PROBLEM_TYPE, { $ref: '#/components/schemas/Problem' }),
    },
  },
  errors: ['unknown_channel'],
};

/** Returns the routes of channels: their state, publishing, and subscribing by server-sent events. */
export function channelRoutes(
  components: ChannelRouteComponents,
  options: ChannelRouteOptions,
): RouteOptions[] {
  const { calls } = components;
  return [
    {
      method: 'GET',
      url: '/v1/channels',
      config: {
        operation: {
          id: 'channelInfo',
          tag: 'Channels',
          method: 'channelInfo',
          answers: { 200: { description: 'The channels.' } },
        },
      },
      async handler(request, reply) {
        readQuery(searchOf(request), {});
        return sendJson(reply, await calls.run(request, 'channelInfo', {}));
      },
    },
    {
      method: 'POST',
      url: MESSAGES,
      config: {
        operation: {
          id: 'publish',
          tag: 'Channels',
          method: 'publish',
          body: true,
          answers: { 202: { description: 'The broker has accepted the message.' } },
          errors: ['unknown_channel', 'rate_limited', 'signature_required', 'invalid_signature', 'timeout'],
        },
      },
      async handler(request, reply) {
        requireJsonType(request);
        readQuery(searchOf(request), {});
        const body = bodyMembers(parseJson(bodyOf(request)), ['channel']);
        const params = { ...body, ...partsOf(request, 'channel') };
        return sendJson(reply, await calls.run(request, 'publish', params), 202);
      },
    },
    {
      method: 'GET',
      url: MESSAGES,
      config: { operation: SUBSCRIBE },
      exposeHeadRoute: false,
      handler: (request, reply) => stream(request, reply, components, options),
    },
  ];
}

async function stream(
  request: FastifyRequest,
  reply: FastifyReply,
  { calls, dispatcher, channels, streams, admission, clock }: ChannelRouteComponents,
  options: ChannelRouteOptions,
): Promise<unknown> {
  const { topic, from } = readQuery(searchOf(request), SSE_QUERY);
  if (topic === undefined)
    throw invalidArgument('query', 'query parameter "topic" is missing', { parameter: 'topic' });
  const lastEventId = request.headers['last-event-id'];
  const params = {
    ...partsOf(request, 'channel'),
    topic,
    from: sseFrom(from, typeof lastEventId === 'string' ? lastEventId : undefined),
  };
  const call = calls.call(request);
  const place = admission.enter(call.caller.address, call.caller.loopback);
  if (place === undefined) throw new GaterError('overloaded', 'too many connections');
  const response = reply.raw;
  let begun = false;
  const early: Buffer[] = [];
  const subscriber = channels.connect({
    ...options,
    sink: {
      encoder: sseEncoder,
      write(deliveries) {
        const events = Buffer.concat(deliveries.map((delivery) => delivery.bytes(sseEncoder)));
        if (begun) response.write(events);
        else early.push(events);
      },
      bufferedBytes: () => response.writableLength,
      // Without close codes here, the client resumes after the last id that it has seen.
      overflow: () => response.destroy(),
    },
  });
  const leave = (): void => {
    place.leave();
    subscriber.close();
  };
  try {
    // The head of the answer goes out as soon as nothing can be refused any more, and messages follow it.
    await dispatcher.dispatch(
      'subscribe',
      params,
      call,
      {},
      {
        async subscribe(accepted) {
          const result = await subscriber.subscribe(accepted);
          // The headers set so far, such as those for pages of other origins.
          const headers = reply.getHeaders() as OutgoingHttpHeaders;
          reply.hijack();
          beginStream(response, headers, subscribedEvent(accepted, result));
          begun = true;
          for (const events of early) response.write(events);
          return result;
        },
      },
    );
  } catch (error) {
    leave();
    if (reply.sent) return response.destroy();
    if (GaterError.is(error) && error.details['reason'] === 'position_lost') {
      return sendProblem(reply, problemOf(error, { status: 410 }));
    }
    throw error;
  }
  let timer: Timer;
  const comment = (): void => {
    writeComment(response);
    timer = clock.setTimer(comment, COMMENT_EVERY_MS, { unref: true });
  };
  timer = clock.setTimer(comment, COMMENT_EVERY_MS, { unref: true });
  const unlist = streams.add(call.grant, () => response.end());
  response.on('drain', () => subscriber.drained());
  response.on('close', () => {
    timer.cancel();
    unlist();
    leave();
  });
  if (response.destroyed) response.emit('close');
  return reply;
}
