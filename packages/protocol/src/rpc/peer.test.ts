import { createFakeClock } from '@esdb-gater/primitives/testing';
import { GaterError, invalidArgument, type Transport, type TransportHandlers } from '@esdb-gater/types';
import { describe, expect, test, vi } from 'vitest';
import { createPeer, type PeerComponents, type PeerContext, type PeerOptions } from './peer.ts';
import { wasUnanswered } from './pending-calls.ts';
import { createTransportPair } from './transport-pair.ts';

/** A transport with the test as the other side. */
class Wire implements Transport {
  readonly sent: string[] = [];
  handlers: TransportHandlers | undefined;
  send(text: string): void {
    this.sent.push(text);
  }
  close(code: number, reason: string): void {
    this.handlers?.closed(code, reason);
  }
  receive(handlers: TransportHandlers): void {
    this.handlers = handlers;
  }
}

function setUp(components: PeerComponents = {}, options?: PeerOptions) {
  const wire = new Wire();
  const peer = createPeer(wire, components, options);
  const give = (value: unknown): void =>
    wire.handlers?.message(typeof value === 'string' ? value : JSON.stringify(value));
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const answers = async (value: unknown): Promise<unknown[]> => {
    give(value);
    await settle();
    return wire.sent.splice(0).map((text) => JSON.parse(text) as unknown);
  };
  return { wire, peer, give, settle, answers };
}

/** The methods that the examples of the specification call. */
function calculator(method: string, params: unknown): unknown {
  const { minuend = 0, subtrahend = 0 } = params as Record<string, number>;
  switch (method) {
    case 'subtract':
      return minuend - subtrahend;
    case 'sum':
      return 7;
    case 'get_data':
      return ['hello', 5];
    case 'update':
    case 'notify_sum':
    case 'notify_hello':
      return null;
    default:
      throw new GaterError('not_supported', 'no such method');
  }
}

const failure = (id: unknown, code: number, data: string) => ({
  jsonrpc: '2.0',
  id,
  error: {
    code,
    message: expect.any(String),
    data: expect.objectContaining({ code: data, retriable: false }),
  },
});
const success = (id: unknown, result: unknown) => ({ jsonrpc: '2.0', id, result });
const call = (method: unknown, params: unknown, id?: unknown) => ({ jsonrpc: '2.0', method, params, id });

describe('the examples of the JSON-RPC specification, section 7', () => {
  const examples: readonly [title: string, request: unknown, answers: readonly unknown[]][] = [
    [
      'positional parameters, which are refused here',
      call('subtract', [42, 23], 1),
      [failure(1, -32602, 'invalid_argument')],
    ],
    [
      'positional parameters the other way round',
      call('subtract', [23, 42], 2),
      [failure(2, -32602, 'invalid_argument')],
    ],
    ['named parameters', call('subtract', { subtrahend: 23, minuend: 42 }, 3), [success(3, 19)]],
    [
      'named parameters in another order',
      call('subtract', { minuend: 42, subtrahend: 23 }, 4),
      [success(4, 19)],
    ],
    ['a notification', { jsonrpc: '2.0', method: 'update', params: [1, 2, 3, 4, 5] }, []],
    ['a notification of an unknown method', { jsonrpc: '2.0', method: 'foobar' }, []],
    [
      'a method that does not exist',
      { jsonrpc: '2.0', method: 'foobar', id: '1' },
      [failure('1', -32601, 'not_supported')],
    ],
    [
      'invalid JSON',
      '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]',
      [failure(null, -32700, 'invalid_argument')],
    ],
    ['an invalid request', call(1, 'bar'), [failure(null, -32600, 'invalid_argument')]],
    [
      'a batch of invalid JSON',
      '[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},{"jsonrpc": "2.0", "method"]',
      [failure(null, -32700, 'invalid_argument')],
    ],
    ['an empty batch', [], [failure(null, -32600, 'invalid_argument')]],
    ['an invalid batch of one', [1], [[failure(null, -32600, 'invalid_argument')]]],
    ['an invalid batch', [1, 2, 3], [[1, 2, 3].map(() => failure(null, -32600, 'invalid_argument'))]],
    [
      'a batch of everything',
      [
        call('sum', { numbers: [1, 2, 4] }, '1'),
        call('notify_hello', { n: 7 }),
        call('subtract', { minuend: 42, subtrahend: 23 }, '2'),
        { foo: 'boo' },
        call('foo.get', { name: 'myself' }, '5'),
        { jsonrpc: '2.0', method: 'get_data', id: '9' },
      ],
      [
        [
          success('1', 7),
          success('2', 19),
          failure(null, -32600, 'invalid_argument'),
          failure('5', -32601, 'not_supported'),
          success('9', ['hello', 5]),
        ],
      ],
    ],
    ['a batch of notifications', [call('notify_sum', { n: 1 }), call('notify_hello', { n: 7 })], []],
  ];
  for (const [title, request, expected] of examples) {
    test(title, async () => {
      const { answers } = setUp({ handle: calculator });
      expect(await answers(request)).toEqual(expected);
    });
  }
});

describe('answers', () => {
  test('calls of one connection start in the order of arrival and may overtake each other', async () => {
    const started: string[] = [];
    const gate = Promise.withResolvers<string>();
    const { answers, give, settle, wire } = setUp({
      handle: (method) => {
        started.push(method);
        return method === 'slow' ? gate.promise : 'at once';
      },
    });
    give(call('slow', {}, 1));
    expect(await answers(call('fast', {}, 2))).toEqual([success(2, 'at once')]);
    expect(started).toEqual(['slow', 'fast']);
    gate.resolve('late');
    await settle();
    expect(wire.sent.map((text) => JSON.parse(text))).toEqual([success(1, 'late')]);
  });

  test('the numbers of errors are -32602 for invalid_argument, -32601 for not_supported, else -32000', async () => {
    const errors: Record<string, GaterError> = {
      a: invalidArgument('topic', 'no topic'),
      b: new GaterError('not_supported', 'not here'),
      c: new GaterError('wrong_expected_version', 'wrong', { details: { expected: 1, actual: 2 } }),
    };
    const { answers } = setUp({ handle: (method) => Promise.reject(errors[method]) });
    expect(await answers(['a', 'b', 'c'].map((method, id) => call(method, {}, id)))).toEqual([
      [
        {
          jsonrpc: '2.0',
          id: 0,
          error: {
            code: -32602,
            message: 'no topic',
            data: { code: 'invalid_argument', retriable: false, reason: 'topic' },
          },
        },
        {
          jsonrpc: '2.0',
          id: 1,
          error: { code: -32601, message: 'not here', data: { code: 'not_supported', retriable: false } },
        },
        {
          jsonrpc: '2.0',
          id: 2,
          error: {
            code: -32000,
            message: 'wrong',
            data: { code: 'wrong_expected_version', retriable: false, expected: 1, actual: 2 },
          },
        },
      ],
    ]);
  });

  test('the cause of an unexpected error is logged and never answered', async () => {
    const logged: object[] = [];
    const logger = { debug() {}, info() {}, warn() {}, error: (fields: object) => void logged.push(fields) };
    const secret = new Error('the password is 1234');
    const { answers } = setUp({ handle: () => Promise.reject(secret), logger });
    const [answer] = await answers(call('a', {}, 1));
    expect(JSON.stringify(answer)).not.toContain('1234');
    expect(answer).toMatchObject({ error: { code: -32000, data: { code: 'internal' } } });
    expect(logged).toEqual([{ err: secret, method: 'a' }]);
  });

  test('a result that is not a JSON value is internal', async () => {
    const { answers } = setUp({ handle: () => 1n });
    expect(await answers(call('a', {}, 1))).toMatchObject([{ id: 1, error: { data: { code: 'internal' } } }]);
  });

  test('an answer longer than a frame is payload_too_large', async () => {
    const { answers } = setUp({ handle: () => 'x'.repeat(500) }, { frameBytes: 400 });
    expect(await answers(call('a', {}, 1))).toMatchObject([
      { id: 1, error: { data: { code: 'payload_too_large' } } },
    ]);
  });

  test('the longest answers of a batch become errors when all of them do not fit into one frame', async () => {
    const handle = (method: string): string => 'x'.repeat(Number(method));
    const { give, wire } = setUp({ handle }, { frameBytes: 1_000 });
    give([call('10', {}, 1), call('700', {}, 2), call('600', {}, 3)]);
    expect(wire.sent).toHaveLength(1);
    expect(wire.sent[0]?.length).toBeLessThanOrEqual(1_000);
    expect(JSON.parse(wire.sent[0] ?? '')).toMatchObject([
      success(1, 'x'.repeat(10)),
      { id: 2, error: { data: { code: 'payload_too_large' } } },
      success(3, 'x'.repeat(600)),
    ]);
  });

  test('functions to run after an answer are called after it was sent; in a batch, after all answers', async () => {
    const wire = new Wire();
    const seen: number[] = [];
    createPeer(wire, {
      handle: (_method, _params, context: PeerContext) => {
        context.afterAnswer(() => seen.push(wire.sent.length));
        return Promise.resolve({});
      },
    });
    wire.handlers?.message(JSON.stringify(call('a', {}, 1)));
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toEqual([1]);
    wire.handlers?.message(JSON.stringify([call('a', {}, 2), call('a', {}, 3)]));
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toEqual([1, 2, 2]);
  });
});

describe('bounds', () => {
  test('calls beyond the limit in flight are overloaded, and are accepted again afterwards', async () => {
    const gate = Promise.withResolvers<string>();
    const { answers, give, settle, wire } = setUp({ handle: () => gate.promise }, { maxInFlight: 2 });
    give(call('a', {}, 1));
    give(call('a', {}, 2));
    expect(await answers(call('a', {}, 3))).toMatchObject([
      { id: 3, error: { data: { code: 'overloaded', retriable: true } } },
    ]);
    gate.resolve('done');
    await settle();
    wire.sent.length = 0;
    expect(await answers(call('a', {}, 4))).toEqual([success(4, 'done')]);
  });

  test('a batch of 101 is refused as a whole and one of 100 is answered', async () => {
    const handle = vi.fn(() => 1);
    const { answers } = setUp({ handle });
    const requests = (count: number) => Array.from({ length: count }, (_, id) => call('a', {}, id));
    expect(await answers(requests(101))).toEqual([failure(null, -32600, 'invalid_argument')]);
    expect(handle).not.toHaveBeenCalled();
    expect(((await answers(requests(100)))[0] as unknown[]).length).toBe(100);
  });
});

describe('hostile input', () => {
  const cases: readonly [title: string, message: string, answer: unknown][] = [
    [
      '129 levels of nesting',
      `{"jsonrpc":"2.0","id":1,"method":"a","params":{"x":${'['.repeat(127)}${']'.repeat(127)}}}`,
      failure(null, -32600, 'invalid_argument'),
    ],
    ['a million open brackets', '['.repeat(1_000_000), failure(null, -32600, 'invalid_argument')],
    [
      'an id that is an object',
      '{"jsonrpc":"2.0","id":{},"method":"a"}',
      failure(null, -32600, 'invalid_argument'),
    ],
    [
      'an id that is true',
      '{"jsonrpc":"2.0","id":true,"method":"a"}',
      failure(null, -32600, 'invalid_argument'),
    ],
    [
      'an id beyond the exact integers of a double',
      '{"jsonrpc":"2.0","id":9007199254740993,"method":"a"}',
      failure(null, -32600, 'invalid_argument'),
    ],
    [
      'an infinite id',
      '{"jsonrpc":"2.0","id":1e999,"method":"a"}',
      failure(null, -32600, 'invalid_argument'),
    ],
    ['another version', '{"jsonrpc":"1.0","id":7,"method":"a"}', failure(7, -32600, 'invalid_argument')],
    [
      'params that are null',
      '{"jsonrpc":"2.0","id":7,"method":"a","params":null}',
      failure(7, -32600, 'invalid_argument'),
    ],
    ['nothing', '', failure(null, -32700, 'invalid_argument')],
    ['a member twice: the last one counts', '{"jsonrpc":"2.0","id":1,"id":2,"method":"a"}', success(2, {})],
    ['an id of null is answered', '{"jsonrpc":"2.0","id":null,"method":"a"}', success(null, {})],
    [
      'huge numbers are numbers',
      '{"jsonrpc":"2.0","id":1,"method":"a","params":{"x":1e999}}',
      success(1, { x: null }),
    ],
  ];
  for (const [title, message, answer] of cases) {
    test(title, async () => {
      const { answers } = setUp({ handle: (_method, params) => params });
      expect(await answers(message)).toEqual([answer]);
    });
  }

  test('__proto__ and constructor are ordinary names and do not pollute prototypes [T15]', async () => {
    const text =
      '{"jsonrpc":"2.0","id":1,"method":"a","params":{"__proto__":{"polluted":1},"constructor":2}}';
    const { give, wire } = setUp({ handle: (_method, params) => params });
    give(text);
    expect(wire.sent).toEqual([
      '{"jsonrpc":"2.0","id":1,"result":{"__proto__":{"polluted":1},"constructor":2}}',
    ]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('methods named like members of objects are not supported', async () => {
    const { answers } = setUp();
    expect(await answers(call('toString', {}, 1))).toEqual([failure(1, -32601, 'not_supported')]);
  });

  test('answers to unknown ids are ignored and counted', async () => {
    const { answers, peer } = setUp();
    expect(await answers([success(5, 1), { jsonrpc: '2.0', id: '__proto__', error: {} }])).toEqual([]);
    expect(await answers({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'x' } })).toEqual([]);
    expect(peer.stats().unknownAnswers).toBe(3);
  });

  test('refused notifications are counted and not answered', async () => {
    const { answers, peer } = setUp({ handle: calculator });
    expect(await answers([call('foobar', {}), call('update', [1])])).toEqual([]);
    expect(peer.stats().refusedNotifications).toBe(2);
  });

  test('a malformed traceparent is not passed on', async () => {
    const contexts: PeerContext[] = [];
    const { give } = setUp({ handle: (_method, _params, context) => void contexts.push(context) });
    const good = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    give({ ...call('a', {}, 1), traceparent: good, tracestate: 'v=1' });
    give({ ...call('a', {}, 2), traceparent: 'x\ny', tracestate: 'v=1' });
    give({ ...call('a', {}, 3), traceparent: good.replace('a'.repeat(32), '0'.repeat(32)) });
    expect(contexts.map(({ traceparent, tracestate }) => [traceparent, tracestate])).toEqual([
      [good, 'v=1'],
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });
});

describe('calls of this side', () => {
  test('both sides call each other over one connection, with separate ids', async () => {
    const [left, right] = createTransportPair();
    const gateway = createPeer(left, { handle: (method) => `gateway ${method}` });
    const worker = createPeer(right, { handle: (method, params) => ({ method, params }) });
    expect(await Promise.all([worker.call('registerWorker'), gateway.call('getEvents', { a: 1 })])).toEqual([
      'gateway registerWorker',
      { method: 'getEvents', params: { a: 1 } },
    ]);
  });

  test('the caller gets the error of the handler', async () => {
    const [left, right] = createTransportPair();
    const error = new GaterError('rate_limited', 'too fast', { details: { retryAfterMs: 12 } });
    createPeer(left, { handle: () => Promise.reject(error) });
    const client = createPeer(right);
    await expect(client.call('publish')).rejects.toMatchObject({
      code: 'rate_limited',
      retriable: true,
      retryAfterMs: 12,
      message: 'too fast',
    });
  });

  test('a call without an answer in time fails with timeout, and its late answer is counted', async () => {
    const clock = createFakeClock();
    const wire = new Wire();
    const peer = createPeer(wire, { clock });
    const answer = peer.call('a', {}, { timeoutMs: 50 });
    clock.advance(50);
    await expect(answer).rejects.toMatchObject({ code: 'timeout', timeoutMs: 50 });
    wire.handlers?.message('{"jsonrpc":"2.0","id":1,"result":1}');
    expect(peer.stats()).toMatchObject({ pending: 0, unknownAnswers: 1 });
  });

  test('a signal ends the waiting with its reason', async () => {
    const abort = new AbortController();
    const { peer, wire } = setUp();
    const answer = peer.call('a', {}, { signal: abort.signal });
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(answer).rejects.toBe(reason);
    await expect(peer.call('a', {}, { signal: abort.signal })).rejects.toBe(reason);
    expect(wire.sent).toHaveLength(1);
  });

  test('after a broken connection, sent calls without an answer are distinguished from calls that were never sent', async () => {
    const { peer, wire } = setUp();
    const sent = peer.call('a').catch((error: unknown) => error);
    wire.handlers?.closed(1006, '');
    const late = peer.call('a').catch((error: unknown) => error);
    expect([await sent, await late]).toMatchObject([
      { code: 'unavailable', closeCode: 1006 },
      { code: 'unavailable', closeCode: 1006 },
    ]);
    expect([wasUnanswered(await sent), wasUnanswered(await late)]).toEqual([true, false]);
    expect(await peer.closed).toEqual({ code: 1006, reason: '' });
  });

  test('a call longer than a frame is not sent', async () => {
    const { peer, wire } = setUp({}, { frameBytes: 100 });
    await expect(peer.call('a', { x: 'x'.repeat(200) })).rejects.toMatchObject({ code: 'payload_too_large' });
    expect(wire.sent).toEqual([]);
  });

  test('notifications go to the listener, and to the handler when the listener does not handle them', () => {
    const handled: string[] = [];
    const heard: string[] = [];
    const { give } = setUp({
      handle: (method) => void handled.push(method),
      onNotification: (method) => heard.push(method) > 0 && method === 'message',
    });
    give({ jsonrpc: '2.0', method: 'message', params: {} });
    give({ jsonrpc: '2.0', method: 'committed', params: {} });
    expect([heard, handled]).toEqual([['message', 'committed'], ['committed']]);
  });

  test('an error of another program without data is mapped by its number', async () => {
    const { peer, give } = setUp();
    const answers = [-32601, -32602, -32700, 5].map((code, index) => {
      const answer = peer.call('a').catch((error: GaterError) => error.code);
      give({ jsonrpc: '2.0', id: index + 1, error: { code, message: 'x' } });
      return answer;
    });
    const codes = ['not_supported', 'invalid_argument', 'invalid_argument', 'internal'];
    expect(await Promise.all(answers)).toEqual(codes);
  });
});
