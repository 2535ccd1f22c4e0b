// What the description says about the routes for operators and their tools.
import { METHOD_SCHEMAS } from '@esdb-gater/protocol';
import { PROBLEM_TYPE } from '../problem.ts';
import { METHOD_EXAMPLES } from './examples.ts';
import { content, type JsonSchema, type Operation } from './operation.ts';

const RETRY_AFTER = { 'Retry-After': { $ref: '#/components/headers/Retry-After' } } as const;

const PROBLEM: JsonSchema = { $ref: '#/components/schemas/Problem' };

const state = (values: readonly string[]): JsonSchema => ({
  type: 'object',
  properties: {
    status: { type: 'string', enum: values },
    dependencies: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'by dependency `ok`, or what is wrong',
    },
  },
  required: ['status'],
});

const READINESS = content('application/json', state(['ready', 'not_ready']));
const HEALTH_CONTENT = content(
  'application/json',
  METHOD_SCHEMAS.health.result,
  METHOD_EXAMPLES.health.result,
);

export const LIVEZ: Operation = {
  id: 'livez',
  tag: 'Gateway',
  summary: 'Answers while the process lives.',
  answers: {
    200: {
      description: 'Alive.',
      content: content('application/json', state(['alive']), { status: 'alive' }),
    },
  },
  open: true,
};

export const READYZ: Operation = {
  id: 'readyz',
  tag: 'Gateway',
  summary: 'Whether the gateway can serve, with the state of each dependency.',
  answers: {
    200: { description: 'Ready.', content: READINESS },
    503: { description: 'Not ready.', headers: RETRY_AFTER, content: READINESS },
  },
  open: true,
};

export const HEALTH: Operation = {
  id: 'health',
  tag: 'Gateway',
  method: 'health',
  answers: {
    200: { description: 'Healthy or degraded.', content: HEALTH_CONTENT },
    503: {
      description: 'Unhealthy, or `unavailable` while the gateway stops.',
      headers: RETRY_AFTER,
      content: { ...HEALTH_CONTENT, ...content(PROBLEM_TYPE, PROBLEM) },
    },
  },
};

export const METRICS: Operation = {
  id: 'metrics',
  tag: 'Gateway',
  summary:
    'The metrics in the text format of Prometheus, or as OpenMetrics with exemplars when `accept` prefers it.',
  answers: {
    200: {
      description: 'The metrics.',
      content: {
        ...content('text/plain', { type: 'string' }),
        ...content('application/openmetrics-text', { type: 'string' }),
      },
    },
  },
};

export const OPENAPI: Operation = {
  id: 'openApi',
  tag: 'Gateway',
  summary: 'This description.',
  answers: { 200: { description: 'OpenAPI 3.1.', content: content('application/json', { type: 'object' }) } },
  open: true,
};

export const ASYNCAPI: Operation = {
  id: 'asyncApi',
  tag: 'Gateway',
  summary: 'The description of the WebSocket protocol.',
  answers: { 200: { description: 'AsyncAPI 3.', content: content('application/json', { type: 'object' }) } },
  open: true,
};

const HTML = content('text/html', { type: 'string' });

export const DOCS: Operation = {
  id: 'docs',
  tag: 'Gateway',
  summary: 'The two descriptions as a page.',
  answers: { 200: { description: 'A page.', content: HTML } },
  open: true,
};

export const DOCS_STYLESHEET: Operation = {
  id: 'docsStylesheet',
  tag: 'Gateway',
  summary: 'The stylesheet of that page.',
  answers: { 200: { description: 'A stylesheet.', content: content('text/css', { type: 'string' }) } },
  open: true,
};

export const PAGE: Operation = {
  id: 'page',
  tag: 'Gateway',
  summary: 'The page of the gateway.',
  answers: { 200: { description: 'A page.', content: HTML } },
  open: true,
};

export const REVOKE: Operation = {
  id: 'revokeToken',
  tag: 'Gateway',
  method: 'revokeToken',
  body: true,
  answers: { 200: { description: 'The revocation is in force.' } },
  errors: ['rate_limited', 'unauthorized'],
};
