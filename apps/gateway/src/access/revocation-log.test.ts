import type { KafkaLogOptions } from '@esdb-gater/broker-kafka';
import { createFakeClock, type FakeClock } from '@esdb-gater/primitives/testing';
import { createRevocation, Identity } from '@esdb-gater/security';
import { GaterError, type JsonValue, silentLogger } from '@esdb-gater/types';
import { beforeEach, expect, test } from 'vitest';
import { openRevocationLog, type RevocationLog } from './revocation-log.ts';

const DAY_MS = 86_400_000;
const identity = Identity.generate();
const CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';
const ofToken = createRevocation(identity, { cid: CID });
const ofIssuer = createRevocation(identity, { iss: identity.did });
const KEYS = { token: `${identity.did} ${CID}`, issuer: `${identity.did} ${identity.did}` };

let clock: FakeClock;
let options: KafkaLogOptions;
let readToItsEnd: () => void;
let refusals: number;
const written: { readonly key: string; readonly value: JsonValue | undefined }[] = [];
const taken: JsonValue[] = [];

beforeEach(() => {
  clock = createFakeClock();
  refusals = 0;
  written.length = 0;
  taken.length = 0;
});

function open(known: readonly JsonValue[] = []): RevocationLog {
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  readToItsEnd = resolve;
  return openRevocationLog({
    clock,
    logger: silentLogger,
    onRevocation: (revocation) => void taken.push(revocation),
    known: () => known,
    kafka: {
      openLog(given) {
        options = given;
        return {
          complete: true,
          ready: () => ready,
          async append(key, value) {
            if (refusals-- > 0) throw new GaterError('unavailable', 'Kafka is away');
            written.push({ key, value });
            record(key, value);
            return { offset: 0 };
          },
          close() {},
        };
      },
    },
  });
}

function record(key: string, value: JsonValue | undefined, ageMs = 0): void {
  const timeMs = clock.now() - ageMs;
  options.onRecord({ key, offset: 0, timeMs, ...(value === undefined ? {} : { value }) });
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

async function after(ms: number): Promise<void> {
  clock.advance(ms);
  await settled();
}

test('the revocations in the topic take effect before the log is ready', async () => {
  const log = open();
  expect(options.topic).toBe('esdb_gater_revocations');
  record(KEYS.token, ofToken);
  expect(log.ready).toBe(false);
  readToItsEnd();
  await log.whenReady();
  expect(log.ready).toBe(true);
  expect(taken).toEqual([ofToken]);
});

test('revocations that the topic lacks are written to it, with retries', async () => {
  const log = open([ofToken, ofIssuer]);
  record(KEYS.issuer, ofIssuer);
  readToItsEnd();
  await log.whenReady();
  refusals = 1;
  await after(0);
  expect(written).toEqual([]);
  await after(5_000);
  expect(written).toEqual([{ key: KEYS.token, value: ofToken }]);
});

test('a revocation from the security channel is written a second later, unless another node has written it', async () => {
  const known: JsonValue[] = [];
  const log = open(known);
  readToItsEnd();
  await log.whenReady();
  await after(0);
  known.push(ofToken, ofIssuer);
  log.complete();
  record(KEYS.token, ofToken);
  expect(written).toEqual([]);
  await after(1_000);
  expect(written).toEqual([{ key: KEYS.issuer, value: ofIssuer }]);
});

test('an invalid record over a revocation neither takes effect nor hides the revocation', async () => {
  const log = open([ofToken]);
  record(KEYS.token, ofToken);
  for (const value of [undefined, 7, { ...ofToken, proof: 'x' }, ofIssuer]) record(KEYS.token, value);
  expect(taken).toEqual([ofToken]);
  readToItsEnd();
  await log.whenReady();
  await after(0);
  expect(written).toEqual([{ key: KEYS.token, value: ofToken }]);
});

test('at the start tokens that ended long ago are passed over and deleted at last, issuers never', async () => {
  const log = open();
  record(KEYS.token, ofToken, 9 * DAY_MS);
  record(KEYS.issuer, ofIssuer, 400 * DAY_MS);
  expect(taken).toEqual([ofIssuer]);
  readToItsEnd();
  await log.whenReady();
  expect(written).toEqual([]);

  const later = open();
  record(KEYS.token, ofToken, 17 * DAY_MS);
  readToItsEnd();
  await later.whenReady();
  expect(written).toEqual([{ key: KEYS.token, value: undefined }]);
});

test('later revocations take effect, whatever the time of the broker', async () => {
  const log = open();
  readToItsEnd();
  await log.whenReady();
  record(KEYS.token, ofToken, 100 * DAY_MS);
  expect(taken).toEqual([ofToken]);
});
