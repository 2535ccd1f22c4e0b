import { describe, expect, test } from 'vitest';
import { channelPlan, channelTopic, deadLetterTopic, resolveOptions } from './options.ts';

const brokers = '127.0.0.1:9092';

describe('options', () => {
  test('are completed with the defaults of the contract', () => {
    expect(resolveOptions({ brokers: ' a:1, [::1]:2 ' })).toMatchObject({
      brokers: [
        { host: 'a', port: 1 },
        { host: '::1', port: 2 },
      ],
      driver: 'kafkajs',
      topicPrefix: 'esdb_channel_',
      publishTimeoutMs: 8_000,
      partitions: 4,
    });
  });

  test.each([
    [{ brokers: '' }, 'brokers'],
    [{ brokers: [] }, 'brokers'],
    [{ brokers: 'localhost' }, 'localhost'],
    [{ brokers: 'a:0' }, 'a:0'],
    [{ brokers: 'a:70000' }, 'a:70000'],
    [{ brokers, driver: 'other' as 'kafkajs' }, 'other'],
    [{ brokers, topicPrefix: 'a b' }, 'a b'],
    [{ brokers, topicPrefix: 'x'.repeat(240) }, 'topicPrefix'],
    [{ brokers, partitions: 13 }, '13'],
    [{ brokers, publishTimeoutMs: 1.5 }, '1.5'],
    [{ brokers, brokerTime: ['nope' as 'alerts'] }, 'nope'],
  ])('%j is refused, and the message names the problem', (options, named) => {
    expect(() => resolveOptions(options)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining(named) }),
    );
  });
});

describe('topics', () => {
  const options = resolveOptions({ brokers });

  test('a channel is the topic of its short name behind the prefix', () => {
    expect(channelTopic(options, 'events')).toBe('esdb_channel_events');
    expect(deadLetterTopic(options, 'events')).toBe('esdb_channel_events.dead-letter');
  });

  test('health is compacted, the others are kept by time, security for 30 days at least', () => {
    expect(channelPlan(options, 'health').settings['cleanup.policy']).toBe('compact');
    const days = (channel: 'security' | 'events') =>
      Number(channelPlan(options, channel).settings['retention.ms']) / 86_400_000;
    expect(days('security')).toBeGreaterThanOrEqual(30);
    expect(days('events')).toBeGreaterThanOrEqual(1);
  });
});
