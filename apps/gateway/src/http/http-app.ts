import { type IncomingMessage, METHODS } from 'node:http';
import { GaterError, invalidArgument, type Logger } from '@esdb-gater/types';
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  type RouteOptions,
} from 'fastify';
import type { InboundBudget, InboundShare } from '../access/inbound-budget.ts';
import type { GatewayConfig } from '../config/types.ts';
import { hasBody, readBody } from './body.ts';
import { answerClientError } from './client-error.ts';
import type { ConnectionBounds } from './connection-bounds.ts';
import { PROBLEM_TYPE, type Problem, pathOf, plainProblem, problemOf } from './problem.ts';
import { readCertificate } from './tls-certificate.ts';

/** Maximum size of all request headers together. */
const HEADER_BYTES = 32 * 1024;

/** Time that a response may take beyond the deadline of its call. */
const ANSWER_MS = 15_000;

/** A path part is up to 255 UTF-16 units, each up to three bytes of UTF-8, each written with three characters. */
const MAX_PART_LENGTH = 255 * 9;

/** All methods that Node.js parses, apart from CONNECT, which is not about a path. */
const METHODS_OF_HTTP = METHODS.filter((method) => method !== 'CONNECT');

/** Content types whose bodies are accepted: JSON, also under another name (RFC 6839). The route parses the bytes. */
const BODY_TYPES = /^application\/([a-z0-9!#$&^_.+-]+\+)?json$/i;

/**
 * Creates the HTTP server with what all routes share: bounds, and errors as problems. Without `webSockets`, requests for an
 * upgrade are answered like any other.
 */
export function createHttpApp(
  config: GatewayConfig,
  logger: Logger,
  bounds: ConnectionBounds,
  inbound: InboundBudget,
  { webSockets = true }: { readonly webSockets?: boolean } = {},
): FastifyInstance {
  const certificate = readCertificate(config.tls);
  const http = {
    maxHeaderSize: HEADER_BYTES,
    headersTimeout: bounds.headersTimeoutMs,
    connectionsCheckingInterval: bounds.checkEveryMs,
    // Any other upgrade that is offered (curl offers h2c) is declined by answering the request itself.
    shouldUpgradeCallback: (request: IncomingMessage) =>
      webSockets && request.headers.upgrade?.toLowerCase() === 'websocket',
  };
  const common = {
    // Fastify overwrites these three where they stand in the options of `http`.
    requestTimeout: bounds.requestTimeoutMs,
    keepAliveTimeout: bounds.keepAliveTimeoutMs,
    connectionTimeout: Math.max(bounds.stalledTimeoutMs, config.retry.deadlineMs + ANSWER_MS),
    clientErrorHandler: answerClientError,
    bodyLimit: config.limits.frameBytes,
    routerOptions: { maxParamLength: MAX_PART_LENGTH, useSemicolonDelimiter: false },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) =>
      sendProblem(reply, problemFor(error, request, config.realm, logger)),
  } as const;
  const app = (certificate === undefined
    ? fastify({ ...common, http })
    : fastify({
        ...common,
        https: { ...http, ...certificate, handshakeTimeout: bounds.handshakeTimeoutMs },
      })) as unknown as FastifyInstance;

  for (const method of METHODS_OF_HTTP) {
    if (!app.supportedMethods.includes(method)) app.addHttpMethod(method, { hasBody: true });
  }
  app.removeAllContentTypeParsers();
  const shares = new WeakMap<IncomingMessage, InboundShare>();
  app.addHook('onRequest', async ({ raw }, reply) => {
    if (!hasBody(raw)) return;
    const share = inbound.open(() => raw.resume());
    shares.set(raw, share);
    // The bytes count until the request is answered.
    reply.raw.once('close', () => share.close());
  });
  app.addContentTypeParser('*', (request: FastifyRequest, payload: IncomingMessage) =>
    readBody(request, payload, shares.get(request.raw)),
  );
  app.setErrorHandler((error: FastifyError, request, reply) =>
    sendProblem(reply, problemFor(error, request, config.realm, logger)),
  );
  app.setNotFoundHandler(sendNotFound);
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
  });
  return app;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** True for a route that refuses every request. */
    readonly refuses?: boolean;
  }
}

/** Adds routes, and answers other methods on their paths with 405 and `Allow`. */
export function addRoutes(app: FastifyInstance, routes: readonly RouteOptions[]): void {
  const methods = new Map<string, Set<string>>();
  for (const route of routes) {
    app.route(route);
    const allowed = methods.get(route.url) ?? new Set();
    methods.set(route.url, allowed);
    for (const method of [route.method].flat()) {
      allowed.add(method.toUpperCase());
      if (method.toUpperCase() === 'GET' && route.exposeHeadRoute !== false) allowed.add('HEAD');
    }
  }
  for (const [url, allowed] of methods) {
    const allow = [...allowed].join(', ');
    const refuse = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      const detail = `${request.method} is not served here; use ${allow}`;
      reply.header('allow', allow);
      return sendProblem(reply, plainProblem(405, 'Method Not Allowed', detail));
    };
    app.route({
      url,
      method: METHODS_OF_HTTP.filter((method) => !allowed.has(method)),
      config: { refuses: true },
      // Before the body is read.
      onRequest: refuse,
      handler: refuse,
    });
  }
}

/** Returns the bytes of a request's body. @throws `invalid_argument` (reason `json`) when there are none */
export function bodyOf(request: FastifyRequest): Buffer {
  if (Buffer.isBuffer(request.body)) return request.body;
  throw invalidArgument('json', 'the request has no body; expected JSON');
}

/** Returns the media type of a request without its parameters, in lower case. */
export function mediaTypeOf(request: FastifyRequest): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** Requires a JSON content type, so that a form or plain text of another origin is refused. @throws a 415 */
export function requireJsonType(request: FastifyRequest): void {
  const type = mediaTypeOf(request);
  if (BODY_TYPES.test(type)) return;
  throw new HttpError(
    415,
    'Unsupported Media Type',
    `content-type must be application/json or application/*+json, got ${JSON.stringify(type)}`,
  );
}

/** An error of HTTP itself, which has no error code of the protocol. */
class HttpError extends Error {
  readonly problem: Problem;

  constructor(status: number, title: string, detail: string) {
    super(detail);
    this.problem = plainProblem(status, title, detail);
  }
}

/** Answers a request for a path that does not exist. */
export function sendNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendProblem(reply, plainProblem(404, 'Not Found', `${pathOf(request.raw)} does not exist`));
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.code(problem.status).headers(problem.headers).type(PROBLEM_TYPE).send(problem.body);
}

/** Returns the answer to a request that failed with `error`. */
function problemFor(error: unknown, request: FastifyRequest, realm: string, logger: Logger): Problem {
  if (error instanceof HttpError) return error.problem;
  if (GaterError.is(error)) {
    if (error.code === 'internal')
      logger.error({ err: error, method: request.method }, 'a request failed unexpectedly');
    return problemOf(error, { realm });
  }
  const { code, statusCode } = error as Partial<FastifyError>;
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return problemOf(new GaterError('payload_too_large', 'the body is larger than limits.frameBytes'));
    case 'FST_ERR_BAD_URL':
      return plainProblem(400, 'Bad Request', 'the path must be percent-encoded UTF-8');
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return plainProblem(414, 'URI Too Long', 'a part of the path is too long');
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return plainProblem(400, 'Bad Request', 'the length of the body differs from content-length');
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return plainProblem(statusCode, 'Bad Request', 'the request is malformed');
  }
  logger.error({ err: error, method: request.method }, 'a request failed unexpectedly');
  return problemOf(GaterError.from(error), { realm });
}

/** Returns the query of a request as it was sent. */
export function searchOf(request: FastifyRequest): URLSearchParams {
  const at = request.raw.url?.indexOf('?') ?? -1;
  return new URLSearchParams(at === -1 ? '' : request.raw.url?.slice(at + 1));
}
