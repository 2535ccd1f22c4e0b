// `npm run docs:trace`: draws `docs/trace.svg` from the spans of a call that leads over two gateways, Kafka and a subscriber.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@esdb-gater/client';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import {
  ownSpans,
  type TraceSpan,
  tracedCalls,
  traceLines,
} from '../../apps/gateway/tests/support/traced-call.ts';
import { startTracedPair } from '../../apps/gateway/tests/support/traced-pair.ts';
import { kafkaUnavailable, startKafka } from '../kafka/index.ts';
import { drawWaterfall } from './waterfall.ts';

const FILE = join(import.meta.dirname, '..', '..', 'docs', 'trace.svg');
const TITLE =
  'One trace: an append, its delivery by Kafka on another node, and what a subscriber makes of it';

/** The first calls of a process measure how fast Node.js compiles. */
const WARM_UP_ROUNDS = 30;
const SPANS = 12;
const WAIT_MS = 20_000;

const reason = kafkaUnavailable();
if (reason !== undefined) throw new Error(reason);

const own = new InMemorySpanExporter();
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
trace.setGlobalTracerProvider(
  new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: own })] }),
);
const kafka = await startKafka();
const pair = await startTracedPair(kafka.bootstrap);
try {
  await using sender = await connect(pair.near.url);
  await using subscriber = await connect(pair.near.url);
  for (let round = 0; round < WARM_UP_ROUNDS; round++) await tracedCalls(sender, subscriber);
  own.reset();
  await tracedCalls(sender, subscriber);
  const spans = await collected();
  writeFileSync(FILE, drawWaterfall(spans, TITLE));
  process.stdout.write(`${traceLines(spans).join('\n')}\n${FILE}\n`);
} finally {
  await pair.close();
  await kafka.stop();
}

/** The spans of the last append, once all of them are exported. */
async function collected(): Promise<TraceSpan[]> {
  const first = own.getFinishedSpans().find(({ name }) => name === 'appendEvents');
  const traceId = first?.spanContext().traceId;
  const end = Date.now() + WAIT_MS;
  for (;;) {
    const all = [...ownSpans('client', own.getFinishedSpans()), ...pair.spans()];
    const spans = all.filter((span) => span.traceId === traceId);
    if (spans.length >= SPANS) return spans;
    if (Date.now() > end) throw new Error(`the trace must have ${SPANS} spans, got ${spans.length}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
