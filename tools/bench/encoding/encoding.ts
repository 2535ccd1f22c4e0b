// Whether a binary subprotocol would pay: `node encoding.ts [ROUNDS]` encodes and decodes what goes over a WebSocket most, as
// JSON text and by the libraries of MessagePack and CBOR that are fastest in JavaScript. Prints microseconds and bytes.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { figure, spreadOf, spreadText } from '../lib/statistics.ts';
import { eventData } from '../stores/workload.ts';

interface Codec {
  encode(value: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

interface PackLibrary {
  readonly Packr: new (
    options: object,
  ) => { pack(value: unknown): Buffer; unpack(bytes: Uint8Array): unknown };
}

interface CborLibrary {
  readonly Encoder: new (options: object) => Codec;
}

const peers = createRequire(join(import.meta.dirname, '..', 'peers', 'package.json'));
// Records would name the members of an object once a connection: an extension that only these libraries know.
const plain = { useRecords: false };
const packr = new (peers('msgpackr') as PackLibrary).Packr(plain);
const cbor = new (peers('cbor-x') as CborLibrary).Encoder(plain);

const CODECS: Readonly<Record<string, Codec>> = {
  JSON: {
    encode: (value) => Buffer.from(JSON.stringify(value)),
    decode: (bytes) => JSON.parse((bytes as Buffer).toString('utf8')),
  },
  MessagePack: { encode: (value) => packr.pack(value), decode: (bytes) => packr.unpack(bytes) },
  CBOR: { encode: (value) => cbor.encode(value), decode: (bytes) => cbor.decode(bytes) },
};

const bytes = Buffer.from(Array.from({ length: 1_024 }, (_, index) => (index * 7_919) % 256));
const event = (version: number, content: object): object => ({
  id: `018f5e2c-0000-7000-8000-${String(version).padStart(12, '0')}`,
  type: 'happened',
  storeId: 'default',
  streamId: 'orders-1',
  version,
  position: version + 1_000,
  ...content,
  metadata: {},
  tags: ['order:1'],
  timestamp: '2026-01-31T12:00:00.000Z',
  epochUs: 1_769_860_800_000_000 + version,
});
const call = (method: string, params: object): object => ({ jsonrpc: '2.0', id: 17, method, params });
const page = (content: (index: number) => object): object => ({
  jsonrpc: '2.0',
  id: 17,
  result: { events: Array.from({ length: 100 }, (_, index) => event(index, content(index))), version: 99 },
});
const append = (content: object): object => {
  const { id, type, tags } = event(1, {}) as Record<string, unknown>;
  return call('appendEvents', {
    storeId: 'default',
    streamId: 'orders-1',
    expectedVersion: 0,
    events: [{ id, type, tags, ...content }],
  });
};

/** Each message as JSON has it, and as a binary encoding has it: with bytes instead of Base64. */
const MESSAGES: Readonly<Record<string, readonly [text: object, binary: object]>> = {
  'a publish, 128 bytes': both(
    call('publish', { channel: 'system', topic: 'a.b', message: { text: 'x'.repeat(117) } }),
  ),
  'an append, 200 bytes of JSON': both(append({ data: eventData(1, 1) })),
  'a page of 100 events, 200 bytes of JSON each': both(page((index) => ({ data: eventData(1, index) }))),
  'an append, 1 KiB of bytes': [
    append({ dataBase64: bytes.toString('base64'), contentType: 'application/octet-stream' }),
    append({ dataBytes: bytes, contentType: 'application/octet-stream' }),
  ],
  'a page of 100 events, 1 KiB of bytes each': [
    page(() => ({ dataBase64: bytes.toString('base64'), contentType: 'application/octet-stream' })),
    page(() => ({ dataBytes: bytes, contentType: 'application/octet-stream' })),
  ],
};

const ROUND_MS = 150;
const rounds = Number(process.argv[2] ?? 5);

for (const [title, [text, binary]] of Object.entries(MESSAGES)) {
  const results = new Map(
    Object.keys(CODECS).map((name) => [name, { encode: [] as number[], decode: [] as number[] }]),
  );
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, codec] of Object.entries(CODECS)) {
      const value = name === 'JSON' ? text : binary;
      const encoded = Buffer.from(codec.encode(value));
      if (JSON.stringify(codec.decode(encoded)) !== JSON.stringify(value))
        throw new Error(`${name} changed ${title}`);
      const encodeMicros = microsOf(() => codec.encode(value));
      const decodeMicros = microsOf(() => codec.decode(encoded));
      if (round === 0) continue;
      results.get(name)?.encode.push(encodeMicros);
      results.get(name)?.decode.push(decodeMicros);
    }
  }
  for (const [name, { encode, decode }] of results) {
    const size = CODECS[name]?.encode(name === 'JSON' ? text : binary).length ?? 0;
    const cells = [title, name, spreadText(spreadOf(encode)), spreadText(spreadOf(decode)), figure(size)];
    process.stdout.write(`| ${cells.join(' | ')} |\n`);
  }
}

function both(value: object): readonly [object, object] {
  return [value, value];
}

/** Returns the microseconds of one run, over a fixed time. */
function microsOf(run: () => unknown): number {
  const startedAt = performance.now();
  let count = 0;
  let elapsed = 0;
  while (elapsed < ROUND_MS) {
    for (let n = 0; n < 10; n += 1) run();
    count += 10;
    elapsed = performance.now() - startedAt;
  }
  return (elapsed * 1_000) / count;
}
