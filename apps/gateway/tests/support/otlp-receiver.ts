import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A span as OTLP/JSON has it, with its attributes as an object. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code?: number; readonly message?: string };
  /** Unix nanoseconds, as text. */
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

export interface ReceivedPoint {
  readonly metric: string;
  readonly unit: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A collector that records all requests, over OTLP/HTTP. */
export interface OtlpReceiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  readonly points: readonly ReceivedPoint[];
  /** Attributes of the last resource. */
  readonly resource: Readonly<Record<string, unknown>>;
  /** Everything as it came. */
  readonly bodies: readonly { readonly path: string; readonly type: string; readonly bytes: Buffer }[];
  close(): Promise<void>;
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

type Members = Readonly<Record<string, unknown>>;

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const points: ReceivedPoint[] = [];
  const bodies: { path: string; type: string; bytes: Buffer }[] = [];
  let resource: Record<string, unknown> = {};
  const take = (given: unknown): void => {
    const body = given as { resourceSpans?: Members[]; resourceMetrics?: Members[] };
    for (const of of [...(body.resourceSpans ?? []), ...(body.resourceMetrics ?? [])]) {
      resource = attributesOf(of['resource'] as Members);
      for (const { spans: some } of (of['scopeSpans'] ?? []) as { spans: (ReceivedSpan & Members)[] }[]) {
        for (const span of some) {
          spans.push({
            ...span,
            parentSpanId: span.parentSpanId ?? '',
            links: span.links ?? [],
            attributes: attributesOf(span),
          });
        }
      }
      for (const { metrics } of (of['scopeMetrics'] ?? []) as { metrics: Members[] }[]) {
        for (const metric of metrics) points.push(...pointsOf(metric));
      }
    }
  };
  const server = createServer(async (request, response) => {
    const bytes = await buffer(request);
    const type = request.headers['content-type'] ?? '';
    bodies.push({ path: request.url ?? '', type, bytes });
    if (type === 'application/json') take(JSON.parse(bytes.toString()));
    response.setHeader('content-type', type).end(type === 'application/json' ? '{}' : '');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    points,
    bodies,
    get resource() {
      return resource;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function pointsOf(metric: Members): ReceivedPoint[] {
  const data = (metric['sum'] ?? metric['gauge'] ?? metric['histogram'] ?? {}) as { dataPoints?: Members[] };
  return (data.dataPoints ?? []).map((point) => ({
    metric: String(metric['name']),
    unit: String(metric['unit']),
    attributes: attributesOf(point),
  }));
}

function attributesOf(owner: Members): Record<string, unknown> {
  // An empty list may be omitted, like every default.
  const attributes = (owner['attributes'] ?? []) as Attribute[];
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
