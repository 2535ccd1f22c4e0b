import type { OutgoingHttpHeaders } from 'node:http';
import { type Channels, type Clock, GaterError, invalidArgument, type Timer } from '@esdb-gater/types';
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Admission } from '../../access/admission.ts';
import type { Dispatcher } from '../../calls/dispatcher.ts';
import { bodyMembers, parseJson } from '../body.ts';
import { bodyOf, requireJsonType, searchOf, sendProblem } from '../http-app.ts';
import { type HttpCalls, partsOf, sendJson } from '../http-calls.ts';
import { problemOf } from '../problem.ts';
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
      async handler(request, reply) {
        readQuery(searchOf(request), {});
        return sendJson(reply, await calls.run(request, 'channelInfo', {}));
      },
    },
    {
      method: 'POST',
      url: MESSAGES,
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
  const { topic, from } = readQuery(searchOf(request), { topic: 'text', from: 'text' });
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
