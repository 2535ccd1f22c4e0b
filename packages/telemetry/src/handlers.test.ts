import { setTimeout as delay } from 'node:timers/promises';
import { createFakeClock } from '@esdb-gater/primitives/testing';
import { GaterError, type Logger, silentLogger } from '@esdb-gater/types';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { attachDefaultHandler, DEFAULT_HANDLER_ID } from './default-handler.ts';
import { EVENTS } from './events.ts';
import { attach, detach, emit, type HandlerArguments, hasHandlers, setLogger } from './handlers.ts';
import { observeRequest } from './observe-request.ts';

const lookup = (): void => emit('esdb_gater.worker.lookup', { duration: 0.25 }, { store_id: 'default' });

function recordingLogger(): Logger & { readonly lines: [level: string, message: string, fields: object][] } {
  const lines: [string, string, object][] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push([level, message, fields]);
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

afterEach(() => {
  for (const id of ['a', 'b', 'c', DEFAULT_HANDLER_ID]) detach(id);
  setLogger(silentLogger);
});

describe('attach and detach', () => {
  test('the events are the eleven of the ancestor', () => {
    expect(new Set(EVENTS).size).toBe(11);
    expect(EVENTS.every((name) => /^esdb_gater(\.[a-z]+){2,3}$/.test(name))).toBe(true);
  });

  test('a handler gets event, measurements, metadata and its config', () => {
    const seen: unknown[] = [];
    attach('a', (...all: HandlerArguments<{ mine: true }>) => seen.push(all), { mine: true });
    lookup();
    expect(seen).toEqual([
      ['esdb_gater.worker.lookup', { duration: 0.25 }, { store_id: 'default' }, { mine: true }],
    ]);
  });

  test('an event reaches every handler, in the order of their attachment', () => {
    const seen: string[] = [];
    for (const id of ['b', 'a', 'c']) attach(id, () => seen.push(id));
    lookup();
    expect(seen).toEqual(['b', 'a', 'c']);
  });

  test('a detached handler is not called any more, and detaching an unknown one returns false', () => {
    const handler = vi.fn();
    attach('a', handler);
    expect(hasHandlers()).toBe(true);
    expect(detach('a')).toBe(true);
    expect(detach('a')).toBe(false);
    expect(hasHandlers()).toBe(false);
    lookup();
    expect(handler).not.toHaveBeenCalled();
  });

  test('a second handler under one id is refused, and the first one stays', () => {
    const first = vi.fn();
    attach('a', first);
    expect(() => attach('a', vi.fn())).toThrow(expect.objectContaining({ reason: 'handler_attached' }));
    lookup();
    expect(first).toHaveBeenCalledTimes(1);
  });

  test('a handler may detach itself while it handles an event', () => {
    const last = vi.fn();
    attach('a', () => detach('a'));
    attach('b', last);
    lookup();
    lookup();
    expect(last).toHaveBeenCalledTimes(2);
  });
});

describe('a handler that throws', () => {
  test('is detached and reported without effect on the call and the other handlers', () => {
    const logger = recordingLogger();
    setLogger(logger);
    const error = new Error('mine');
    const throwing = vi.fn(() => {
      throw error;
    });
    const other = vi.fn();
    attach('a', throwing);
    attach('b', other);
    lookup();
    lookup();
    expect(throwing).toHaveBeenCalledTimes(1);
    expect(other).toHaveBeenCalledTimes(2);
    expect(logger.lines).toEqual([
      ['error', expect.any(String), { err: error, handler: 'a', event: 'esdb_gater.worker.lookup' }],
    ]);
  });

  test('does so too when it is async', async () => {
    const logger = recordingLogger();
    setLogger(logger);
    attach('a', async () => {
      await delay(1);
      throw new Error('mine');
    });
    lookup();
    lookup();
    await vi.waitFor(() => expect(logger.lines).toHaveLength(1));
    expect(hasHandlers()).toBe(false);
    await delay(5);
    expect(logger.lines, 'reported once').toHaveLength(1);
  });

  test('does not remove a handler that was attached under the same id since', async () => {
    attach('a', () => Promise.reject(new Error('late')));
    lookup();
    detach('a');
    attach('a', () => {});
    await delay(1);
    expect(hasHandlers()).toBe(true);
  });

  test('does not fail the call when the logger throws as well', () => {
    setLogger({
      ...silentLogger,
      error: () => {
        throw new Error('the logger');
      },
    });
    attach('a', () => {
      throw new Error('mine');
    });
    expect(lookup).not.toThrow();
  });
});

describe('the default handler', () => {
  test('logs each event with its fields at the level of the event', () => {
    const logger = recordingLogger();
    attachDefaultHandler(logger);
    lookup();
    emit(
      'esdb_gater.retry.exhausted',
      { total_attempts: 10 },
      { store_id: 'default', reason: 'unavailable' },
    );
    expect(logger.lines).toEqual([
      ['debug', 'esdb_gater.worker.lookup', { duration: 0.25, store_id: 'default' }],
      [
        'error',
        'esdb_gater.retry.exhausted',
        { total_attempts: 10, store_id: 'default', reason: 'unavailable' },
      ],
    ]);
  });

  test('attached twice logs once, with the later logger', () => {
    const [first, second] = [recordingLogger(), recordingLogger()];
    attachDefaultHandler(first);
    attachDefaultHandler(second);
    lookup();
    expect([first.lines.length, second.lines.length]).toEqual([0, 1]);
  });

  test('without a logger writes to the console, except the events of every call', () => {
    const console_ = vi.spyOn(console, 'error').mockImplementation(() => {});
    attachDefaultHandler();
    lookup();
    expect(console_).not.toHaveBeenCalled();
    emit('esdb_gater.cluster.node.up', { system_time: 1 }, { node: 'n', member_count: 2 });
    expect(console_).toHaveBeenCalledTimes(1);
    console_.mockRestore();
  });
});

describe('observeRequest', () => {
  test('emits start and stop around a request, with its duration in milliseconds', async () => {
    const seen: unknown[] = [];
    attach('a', (event, measurements, metadata) => seen.push([event, measurements, metadata]));
    const clock = createFakeClock(1_000);
    const run = async (): Promise<string> => {
      clock.advance(1.5);
      return 'value';
    };
    expect(await observeRequest('default', 'getVersion', run, clock)).toBe('value');
    const request = { store_id: 'default', request_type: 'getVersion' };
    expect(seen).toEqual([
      ['esdb_gater.request.start', { system_time: 1_000 }, request],
      ['esdb_gater.request.stop', { duration: 1.5 }, { ...request, result: 'ok' }],
    ]);
  });

  test('an error result is an error in telemetry, too', async () => {
    const seen: unknown[] = [];
    attach('a', (event, _, metadata) => seen.push([event, metadata.reason]));
    const error = new GaterError('stream_not_found', 'no such stream');
    await expect(observeRequest('s', 'getEvents', () => Promise.reject(error))).rejects.toBe(error);
    expect(seen[1]).toEqual(['esdb_gater.request.error', 'stream_not_found']);
  });
});

test('without handlers the measurements of an event are not read', () => {
  let reads = 0;
  const counted = <T extends object>(value: T): T =>
    new Proxy(value, {
      get: (target, name, receiver) => {
        reads++;
        return Reflect.get(target, name, receiver) as unknown;
      },
    });
  const send = (): void =>
    emit('esdb_gater.worker.lookup', counted({ duration: 1 }), counted({ store_id: 'default' }));
  for (let n = 0; n < 1_000; n++) send();
  expect(reads).toBe(0);
  attach('reader', (_, { duration }, { store_id }) => [duration, store_id]);
  send();
  expect(reads).toBe(2);
});
