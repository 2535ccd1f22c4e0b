import { describe, expect, test } from 'vitest';
import { METHOD_SCHEMAS } from '../schemas/method-schemas.ts';
import {
  factsOf,
  isIdempotent,
  isMethodName,
  isServedBy,
  isWorkerMethod,
  METHOD_NAMES,
  type MethodFacts,
} from './method-table.ts';

/** The methods with a fact, by name: what lists that were written by hand said, before there was a table. */
function having(holds: (facts: MethodFacts) => boolean): readonly string[] {
  return METHOD_NAMES.filter((method) => holds(factsOf(method))).sort();
}

const names = (text: string): readonly string[] => text.split(' ').sort();

const ALL = names(
  'ackEvent appendEvents appendToStreams authenticate channelInfo deleteSnapshot deleteStream followEvents ' +
    'getEvents getStreams getSubscriptions getVersion health clusterInfo leaveSubscription listParked listSnapshots ' +
    'nackEvent publish queryEvents quickHealthCheck readAll readSnapshot recordSnapshot registerWorker ' +
    'removeSubscription replayParked resetSubscription revokeToken saveSubscription streamBackward ' +
    'streamExists streamForward subscribe unfollow unregisterWorker unsubscribe verifyStream versionAt',
);

describe('the table of methods', () => {
  test('has every method of the protocol, and the schemas of each', () => {
    expect([...METHOD_NAMES].sort()).toEqual(ALL);
    expect(Object.keys(METHOD_SCHEMAS).sort()).toEqual(ALL);
  });

  test('says who serves a method', () => {
    const servedBy = (by: string) => having((facts) => facts.servedBy === by);
    expect(servedBy('store')).toEqual(
      names(
        'appendEvents appendToStreams getEvents streamForward streamBackward getVersion streamExists getStreams ' +
          'deleteStream versionAt verifyStream readAll queryEvents recordSnapshot readSnapshot listSnapshots ' +
          'deleteSnapshot',
      ),
    );
    expect(servedBy('channels')).toEqual(names('publish channelInfo'));
    expect(servedBy('gateway')).toEqual(
      names(
        'removeSubscription getSubscriptions listParked replayParked resetSubscription health clusterInfo quickHealthCheck ' +
          'revokeToken',
      ),
    );
    expect(servedBy('connection')).toEqual(
      names(
        'followEvents unfollow saveSubscription leaveSubscription ackEvent nackEvent subscribe unsubscribe ' +
          'authenticate registerWorker unregisterWorker',
      ),
    );
    expect(isServedBy('getEvents', 'store')).toBe(true);
    expect(isServedBy('getEvents', 'gateway')).toBe(false);
  });

  test('says what a worker must serve and what it may', () => {
    const duty = (worker: string) => having((facts) => facts.worker === worker);
    const required = names(
      'appendEvents getEvents getVersion streamExists getStreams readAll quickHealthCheck',
    );
    const optional = names(
      'appendToStreams deleteStream versionAt verifyStream queryEvents recordSnapshot readSnapshot listSnapshots ' +
        'deleteSnapshot',
    );
    expect(duty('required')).toEqual(required);
    expect(duty('optional')).toEqual(optional);
    expect(ALL.filter(isWorkerMethod)).toEqual([...required, ...optional].sort());
  });

  test('says what has an effect each time', () => {
    const not = names('deleteStream followEvents replayParked resetSubscription revokeToken unfollow');
    expect(ALL.filter((method) => !isIdempotent(method))).toEqual(not);
  });

  test('says whose answers may be pages', () => {
    expect(having((facts) => facts.paged === true)).toEqual(
      names('getEvents streamForward streamBackward readAll queryEvents listSnapshots'),
    );
  });

  test('says what clients do otherwise than by a plain call, and what carries events', () => {
    expect(having((facts) => facts.iterated === true)).toEqual(names('subscribe saveSubscription'));
    expect(having((facts) => facts.carriesEvents === true)).toEqual(
      names('appendEvents appendToStreams getEvents streamForward streamBackward readAll queryEvents'),
    );
  });

  test('says for which calls it differs whether they need a token', () => {
    expect(having((facts) => facts.token === 'never')).toEqual(names('authenticate revokeToken'));
    expect(having((facts) => facts.token === 'beyond-loopback')).toEqual(['registerWorker']);
  });

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', '', 'getevents'])(
    'has no row for %j',
    (name) => {
      expect(isMethodName(name)).toBe(false);
      expect(factsOf(name)).toBeUndefined();
      expect(isIdempotent(name)).toBe(false);
      expect(isWorkerMethod(name)).toBe(false);
    },
  );
});
