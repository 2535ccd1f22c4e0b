import { connect } from '@esdb-gater/client';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readOutside } from '../../../../packages/broker-kafka/tests/support/outside.ts';
import { kafkaUnavailable, type RunningKafka, startKafka } from '../../../../tools/kafka/index.ts';
import { ownSpans, tracedCalls, traceLines } from '../support/traced-call.ts';
import { startTracedPair, type TracedPair } from '../support/traced-pair.ts';

const reason = kafkaUnavailable();
const WAIT = { timeout: 30_000, interval: 100 };

describe.skipIf(reason !== undefined)(
  `one trace over two nodes${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    const own = new InMemorySpanExporter();
    let kafka: RunningKafka;
    let pair: TracedPair;

    beforeAll(async () => {
      kafka = await startKafka();
      pair = await startTracedPair(kafka.bootstrap);
      context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
      trace.setGlobalTracerProvider(
        new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: own })] }),
      );
    }, 180_000);
    afterAll(async () => {
      trace.disable();
      context.disable();
      await pair?.close();
      await kafka?.stop();
    });

    test('leads from the call of a client over a link, a store, the feed and Kafka to a subscriber, and on', async () => {
      await using sender = await connect(pair.near.url);
      await using subscriber = await connect(pair.near.url);
      own.reset();
      await tracedCalls(sender, subscriber);
      const first = own.getFinishedSpans().find(({ name }) => name === 'appendEvents');
      const traceId = first?.spanContext().traceId;
      const spans = () =>
        [...ownSpans('client', own.getFinishedSpans()), ...pair.spans()].filter(
          (span) => span.traceId === traceId,
        );
      await vi.waitFor(
        () =>
          expect(traceLines(spans())).toEqual([
            'client CLIENT appendEvents',
            '  near SERVER appendEvents',
            '    near CLIENT appendEvents',
            '      far SERVER appendEvents',
            '        far INTERNAL appendEvents orders',
            '          far PRODUCER publish events',
            '            near CONSUMER process events',
            '              client CLIENT recordSnapshot',
            '                near SERVER recordSnapshot',
            '                  near CLIENT recordSnapshot',
            '                    far SERVER recordSnapshot',
            '                      far INTERNAL recordSnapshot orders',
          ]),
        WAIT,
      );
      // Every span of the trace is in the tree: none has a parent that nobody exported.
      expect(spans()).toHaveLength(12);
      const sent = spans().find(({ kind }) => kind === 'PRODUCER');
      const records = await readOutside(kafka.bootstrap, `${pair.topicPrefix}events`);
      expect(records.map(({ headers }) => headers['traceparent'])).toEqual([
        `00-${traceId}-${sent?.spanId}-01`,
      ]);
    });
  },
);
