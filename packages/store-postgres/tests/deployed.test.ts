import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventStore } from '@esdb-gater/types';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { postgresUnavailable, type RunningPostgres, startPostgres } from '../../../tools/postgres/index.ts';
import type { PostgresStoreOptions } from '../src/options.ts';
import { openPostgresStore, type PostgresStore } from '../src/postgres-store.ts';
import { createMigrationFailure } from './support/migrations.ts';
import { startPgBouncer } from './support/pgbouncer.ts';
import { append, failureOf, readEverything, STORE_ID } from './support/stores.ts';

const reason = postgresUnavailable();
const name =
  reason === undefined ? 'PostgreSQL as it is deployed' : `PostgreSQL as it is deployed (${reason})`;
const isMissing = (program: string): boolean => {
  if (process.env['CI'] === 'true') return false;
  try {
    execFileSync('sh', ['-c', `command -v ${program} || test -x /usr/sbin/${program}`], { stdio: 'ignore' });
    return false;
  } catch {
    return true;
  }
};

describe.skipIf(reason !== undefined)(name, () => {
  const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-pg-'));
  let postgres: RunningPostgres;
  let port = 0;
  let schemas = 0;
  const opened: PostgresStore[] = [];

  beforeAll(async () => {
    postgres = await startPostgres({
      settings: ['max_connections = 20', "password_encryption = 'scram-sha-256'"],
    });
    port = postgres.nodes[0]?.port ?? 0;
    await postgres.query(
      "CREATE ROLE gater LOGIN PASSWORD 'hunter2'; GRANT CREATE ON DATABASE postgres TO gater",
    );
  });
  afterAll(async () => {
    await postgres.stop();
    rmSync(folder, { recursive: true });
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
  });

  async function open(options: Partial<PostgresStoreOptions> = {}): Promise<PostgresStore> {
    schemas += 1;
    const store = await openPostgresStore({
      storeId: STORE_ID,
      url: postgres.url,
      schema: `deployed${schemas}`,
      openTimeoutMs: 1_500,
      ...options,
    });
    opened.push(store);
    return store;
  }

  const works = async (store: EventStore): Promise<void> => {
    const { position } = await append(store, 'a');
    expect((await readEverything(store)).at(-1)?.position).toBe(position);
  };

  describe('TLS and passwords', () => {
    const ca = join(folder, 'ca.pem');

    beforeAll(async () => {
      const node = postgres.nodes[0];
      if (node === undefined) return;
      const files = { key: join(node.dataDir, 'server.key'), cert: join(node.dataDir, 'server.crt') };
      makeCertificates(folder, files);
      const { uid, gid } = statSync(node.dataDir);
      for (const file of Object.values(files)) {
        chownSync(file, uid, gid);
        chmodSync(file, 0o600);
      }
      node.configure(['ssl = on']);
      node.configure([], 'pg_hba.conf');
      writeFileSync(
        join(node.dataDir, 'pg_hba.conf'),
        'hostssl all gater 127.0.0.1/32 scram-sha-256\nhost all postgres 127.0.0.1/32 trust\n',
      );
      await node.stop();
      await node.start();
    });

    const url = (query: string, user = 'gater'): string =>
      `postgres://${user}@localhost:${port}/postgres?connect_timeout=2&${query}`;

    test('a store connects by TLS with a CA file and SCRAM, the password from a file', async () => {
      const passfile = join(folder, 'passfile');
      writeFileSync(passfile, `# passwords\nlocalhost:*:postgres:gater:hunter2\n`, { mode: 0o600 });
      const store = await open({ url: url(`sslrootcert=${ca}&passfile=${passfile}`) });
      await works(store);
      const rows = await postgres.query(
        "SELECT bool_and(ssl) AS ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'gater'",
      );
      expect(rows).toEqual([{ ssl: true }]);
    });

    test('a server whose certificate another authority signed, or that has another name, is refused', async () => {
      const other = join(folder, 'other-ca.pem');
      makeAuthority(folder, 'other-ca');
      const wrongCa = await failureOf(open({ url: url(`sslrootcert=${other}`, 'gater:hunter2') }));
      expect(wrongCa).toMatchObject({ code: 'unavailable', message: expect.stringMatching(/certificate/) });
      const byAddress = url(`sslrootcert=${ca}`, 'gater:hunter2').replace('localhost', '127.0.0.1');
      const wrongName = await failureOf(open({ url: byAddress }));
      expect(wrongName).toMatchObject({
        code: 'unavailable',
        message: expect.stringMatching(/does not match/),
      });
      // `verify-ca` does not look at the name.
      await works(await open({ url: `${byAddress}&sslmode=verify-ca` }));
    });

    test('a wrong password, and a password file that others can read, are refused without the password in the message', async () => {
      const wrong = await failureOf(open({ url: url('', 'gater:guess-me') }));
      expect(wrong).toMatchObject({
        code: 'unavailable',
        message: expect.stringMatching(/the password is wrong/),
      });
      expect(wrong.message).not.toContain('guess-me');
      const passfile = join(folder, 'open-passfile');
      writeFileSync(passfile, '*:*:*:*:hunter2\n', { mode: 0o644 });
      const warn = vi.fn();
      const logger = { debug() {}, info() {}, warn, error() {} };
      await expect(open({ url: url(`passfile=${passfile}`), logger })).rejects.toMatchObject({
        code: 'unavailable',
      });
      expect(warn).toHaveBeenCalledWith({ file: passfile }, expect.stringMatching(/its mode must be 0600/));
    });

    test('without TLS a server that wants it refuses, and the message says so', async () => {
      const refused = await failureOf(open({ url: url('sslmode=disable', 'gater:hunter2') }));
      expect(refused).toMatchObject({ code: 'unavailable', message: expect.stringMatching(/no encryption/) });
    });
  });

  test('a role with the permissions of the README appends, reads and subscribes, and can change no event', async () => {
    const owner = await open();
    await works(owner);
    const schema = `deployed${schemas}`;
    await postgres.query(`CREATE ROLE little LOGIN; GRANT USAGE ON SCHEMA ${schema} TO little;
      GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA ${schema} TO little;
      GRANT UPDATE ON ${schema}.streams, ${schema}.snapshots, ${schema}.feed_checkpoint,
        ${schema}.subscriptions, ${schema}.parked_events TO little;
      GRANT DELETE ON ${schema}.snapshots, ${schema}.subscriptions, ${schema}.parked_events TO little;
      GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${schema} TO little`);
    const node = postgres.nodes[0];
    node?.configure(['host all little 127.0.0.1/32 trust'], 'pg_hba.conf');
    await postgres.query('SELECT pg_reload_conf()');
    const url = postgres.url.replace('postgres@', 'little@');
    const store = await open({ url, schema });
    await works(store);
    await store.deleteStream({ storeId: STORE_ID, streamId: 'a' });
    await store.feedCheckpoint.save({ position: 1 });
    await store.feedCheckpoint.save({ position: 2 });
    const snapshot = { storeId: STORE_ID, sourceUuid: 's', streamUuid: 't', version: 1, record: 1 };
    await store.recordSnapshot(snapshot);
    await store.recordSnapshot(snapshot);
    expect(await store.deleteSnapshot(snapshot)).toEqual({ deleted: true });
    await store.subscriptionState.create({
      name: 'n',
      type: 'stream',
      selector: '$all',
      startFrom: 0,
      maxInFlight: 1,
      ackTimeoutMs: 1,
      maxRetries: 1,
      createdMs: 1,
      maker: 'm',
      checkpoint: { position: 0 },
    });
    await store.subscriptionState.park('n', {
      position: 1,
      eventId: crypto.randomUUID(),
      reason: 'a\u0000b',
      attempts: 1,
      parkedMs: 1,
    });
    const { records } = await store.subscriptionState.listParked('n', {
      replaying: false,
      after: 0,
      limit: 1,
    });
    expect(records).toMatchObject([{ reason: 'a\u0000b' }]);
    expect(await store.subscriptionState.remove('n')).toBe(true);
    const change = postgres.query(`SET ROLE little; UPDATE ${schema}.events SET type = 'x'`);
    await expect(change).rejects.toThrow(/permission denied/);
    // A new schema is beyond it.
    await expect(open({ url })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/the role lacks a permission/),
    });
  });

  test('when no connection is left the reason is named, and the store works again once there is', async () => {
    await postgres.query(
      'CREATE ROLE few LOGIN CONNECTION LIMIT 3; GRANT CREATE ON DATABASE postgres TO few',
    );
    postgres.nodes[0]?.configure(['host all few 127.0.0.1/32 trust'], 'pg_hba.conf');
    await postgres.query('SELECT pg_reload_conf()');
    const url = postgres.url.replace('postgres@', 'few@');
    const first = await open({ url, maxReaders: 1 });
    await works(first);
    const second = await failureOf(open({ url }));
    expect(second).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/too many connections/),
    });
    await works(first);
    await first.close();
    await vi.waitFor(async () => works(await open({ url, maxReaders: 1 })), { timeout: 10_000 });
  });

  test('a long transaction of somebody else delays neither appends nor readers', async () => {
    const store = await open();
    const schema = `deployed${schemas}`;
    await append(store, 'a');
    await using other = await postgres.connect();
    await other.query(`BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM ${schema}.events`);
    await other.query('SELECT pg_current_xact_id()');
    for (let n = 0; n < 20; n += 1) await append(store, 'a');
    expect((await readEverything(store)).map(({ position }) => position)).toEqual(
      Array.from({ length: 21 }, (_, index) => index + 1),
    );
    await other.query('COMMIT');
  });

  test('while somebody else locks the tables appends say why they fail, reads go on, and appends recover', async () => {
    const store = await open({ lockTimeoutMs: 200 });
    const schema = `deployed${schemas}`;
    await append(store, 'a');
    await using other = await postgres.connect();
    await other.query(`BEGIN; LOCK TABLE ${schema}.events IN SHARE MODE`);
    const refused = await failureOf(append(store, 'a'));
    expect(refused).toMatchObject({ code: 'unavailable', message: expect.stringMatching(/lock/) });
    expect(store.health()).toMatchObject({ status: 'degraded', message: expect.stringMatching(/lock/) });
    expect(await readEverything(store)).toHaveLength(1);
    await other.query('ROLLBACK');
    await works(store);
    expect(store.health()).toEqual({ status: 'healthy' });
  });

  test('a statement_timeout of the role does not cut appends off, and a read that it ends is unavailable', async () => {
    await postgres.query(
      'CREATE ROLE hasty LOGIN; GRANT CREATE ON DATABASE postgres TO hasty; ALTER ROLE hasty SET statement_timeout = 150',
    );
    postgres.nodes[0]?.configure(['host all hasty 127.0.0.1/32 trust'], 'pg_hba.conf');
    await postgres.query('SELECT pg_reload_conf()');
    const store = await open({ url: postgres.url.replace('postgres@', 'hasty@') });
    const schema = `deployed${schemas}`;
    await append(store, 'a');
    await using other = await postgres.connect();
    await other.query(`BEGIN; LOCK TABLE ${schema}.events IN ACCESS EXCLUSIVE MODE`);
    const waiting = append(store, 'a');
    const refused = await failureOf(store.getEvents({ storeId: STORE_ID, streamId: 'a' }));
    expect(refused).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/cancelled, by statement_timeout/),
    });
    await other.query('ROLLBACK');
    // It waited longer than the role's limit.
    expect(await waiting).toMatchObject({ version: 1 });
  });

  test('connections that the server ends, idle or in use, do not end the process, and the store goes on', async () => {
    const store = await open();
    const schema = `deployed${schemas}`;
    await works(store);
    await using other = await postgres.connect();
    const ours = "FROM pg_stat_activity WHERE application_name = 'esdb-gater'";
    // The store asks for the newest position by itself as well, once it listens again.
    const readsStream = "AND wait_event_type = 'Lock' AND query LIKE '%hidden_through%'";
    for (let round = 0; round < 3; round += 1) {
      await other.query(`BEGIN; LOCK TABLE ${schema}.events IN ACCESS EXCLUSIVE MODE`);
      const read = failureOf(store.getEvents({ storeId: STORE_ID, streamId: 'a' }));
      await vi.waitFor(async () =>
        expect(await postgres.query(`SELECT 1 ${ours} ${readsStream}`)).toHaveLength(1),
      );
      await postgres.query(`SELECT pg_terminate_backend(pid) ${ours}`);
      expect(await read).toMatchObject({ code: 'unavailable' });
      await other.query('ROLLBACK');
      // An error without a listener would be an unhandled one of this test run.
      await vi.waitFor(() => works(store), { timeout: 10_000 });
    }
    expect(store.health()).toEqual({ status: 'healthy' });
  });

  test('a migration that fails changes nothing, says why, and is made up for by the next start', async () => {
    const failure = await createMigrationFailure(postgres);
    expect(failure.error).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        /could not be brought from version 0 to 2; nothing was changed: .*"subscriptions" already exists/,
      ),
    });
    expect(failure.tables).toEqual([]);
    await works(await failure.openAgain());
  });

  test('a store of version 1 keeps its events, and gets what version 2 has more', async () => {
    const store = await open();
    const schema = `deployed${schemas}`;
    const { position } = await append(store, 'a');
    const before = await readEverything(store);
    await store.close();
    await postgres.query(`DROP FUNCTION ${schema}.write_one; UPDATE ${schema}.store SET schema_version = 1`);
    const again = await open({ schema });
    expect(await readEverything(again)).toEqual(before);
    expect(await append(again, 'a', { expectedVersion: 0 })).toMatchObject({ position: position + 1 });
    const [row] = await postgres.query(`SELECT schema_version FROM ${schema}.store`);
    expect(row).toEqual({ schema_version: 2 });
  });

  test('tables of a newer release are not touched', async () => {
    const store = await open();
    const schema = `deployed${schemas}`;
    await store.close();
    await postgres.query(`UPDATE ${schema}.store SET schema_version = 99`);
    await expect(open({ schema })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/is of version 99, this release knows up to 2/),
    });
  });

  test('nodes that disagree about tamperEvident are told, and no event is left out of a chain', async () => {
    const plain = await open();
    const schema = `deployed${schemas}`;
    await append(plain, 'a');
    const evident = await open({ schema, tamperEvident: true });
    await append(evident, 'a');
    const refused = await failureOf(append(plain, 'a'));
    expect(refused).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/another setting of `tamperEvident`/),
    });
    await expect(open({ schema })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/keeps chains of hashes since position 2/),
    });
    expect(await evident.verifyStream({ storeId: STORE_ID, streamId: 'a' })).toEqual({ verified: true });
  });

  test.each([
    ['UPDATE events SET data = \'"y"\' WHERE version = 1', 1],
    ['UPDATE events SET metadata = \'{"a":1}\' WHERE version = 2', 2],
    ['DELETE FROM events WHERE version = 2', 2],
    ['DELETE FROM events WHERE version = 3', 3],
    ['UPDATE events SET epoch_us = epoch_us + 1000 WHERE version = 0', 0],
  ])('verifyStream finds a change made by hand: %s', async (sql, brokenAt) => {
    const store = await open({ tamperEvident: true });
    for (let n = 0; n < 4; n += 1) await append(store, 'a');
    await postgres.query(`SET search_path = deployed${schemas}; ${sql}`);
    const result = await store.verifyStream({ storeId: STORE_ID, streamId: 'a' });
    expect(result).toEqual({ verified: false, brokenAt });
  });

  const noBouncer = isMissing('pgbouncer');
  test.skipIf(noBouncer)(
    'behind PgBouncer in transaction mode all but notifications works, and commits of others are found by polling (needs PgBouncer)',
    async () => {
      const bouncer = await startPgBouncer(port, folder);
      try {
        const store = await open({ url: bouncer.url });
        const schema = `deployed${schemas}`;
        const direct = await open({ schema });
        await works(store);
        await Promise.all(Array.from({ length: 50 }, (_, n) => append(store, `s${n % 5}`)));
        await store.recordSnapshot({
          storeId: STORE_ID,
          sourceUuid: 's',
          streamUuid: 't',
          version: 1,
          record: 1,
        });
        const heard = vi.fn<(position: number) => void>();
        store.onCommitted(heard);
        const { position } = await append(direct, 'b');
        await vi.waitFor(() => expect(heard).toHaveBeenCalledWith(position), { timeout: 5_000 });
        const again = await append(direct, 'b');
        await vi.waitFor(() => expect(heard).toHaveBeenCalledWith(again.position), { timeout: 5_000 });
      } finally {
        await bouncer.stop();
      }
    },
  );

  const noMount = isMissing('mount') || process.getuid?.() !== 0;
  test.skipIf(noMount)(
    'with a full disk appends fail with unavailable, reads go on, health says why, and it recovers [F4] (needs mount)',
    async () => {
      const disk = join(folder, 'disk');
      execFileSync('mkdir', ['-p', disk]);
      chmodSync(folder, 0o755);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk]);
      try {
        const { uid, gid } = statSync(postgres.nodes[0]?.dataDir ?? '');
        chownSync(disk, uid, gid);
        await postgres.query(`CREATE TABLESPACE small LOCATION '${disk}'`);
        await postgres.query(
          'CREATE ROLE crowded LOGIN; GRANT CREATE ON DATABASE postgres TO crowded; GRANT CREATE ON TABLESPACE small TO crowded; ALTER ROLE crowded SET default_tablespace = small',
        );
        postgres.nodes[0]?.configure(['host all crowded 127.0.0.1/32 trust'], 'pg_hba.conf');
        await postgres.query('SELECT pg_reload_conf()');
        const store = await open({ url: postgres.url.replace('postgres@', 'crowded@') });
        const schema = `deployed${schemas}`;
        await postgres.query(
          `CREATE TABLE ballast TABLESPACE small AS SELECT repeat('x', 1000) FROM generate_series(1, 14000)`,
        );
        let written = 0;
        const large = Array.from({ length: 20_000 }, () => Math.random().toString(36)).join('');
        const fill = async (): Promise<never> => {
          for (;;) {
            await append(store, 'a', { data: large });
            written += 1;
          }
        };
        const refused = await failureOf(fill());
        expect(refused).toMatchObject({
          code: 'unavailable',
          message: expect.stringMatching(/disk of the database is full/),
        });
        expect(store.health()).toMatchObject({ status: 'degraded', message: expect.stringMatching(/disk/) });
        const page = await store.getEvents({ storeId: STORE_ID, streamId: 'a', count: 1 });
        expect(page.version).toBe(written - 1);
        await postgres.query('DROP TABLE ballast; CHECKPOINT');
        expect(await append(store, 'a')).toMatchObject({ version: written });
        expect(store.health()).toEqual({ status: 'healthy' });
        await store.close();
        await postgres.query(`DROP SCHEMA ${schema} CASCADE`);
        // The tablespace stays, without files: dropping it waits for every process of the server, and this is the last test.
      } finally {
        execFileSync('umount', ['-l', disk]);
      }
    },
  );
});

/** Makes a certificate authority. */
function makeAuthority(folder: string, file: string): void {
  openssl(
    folder,
    `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=${file} -keyout ${file}.key -out ${file}.pem`,
  );
}

/** Makes an authority and the certificate of a server called localhost. */
function makeCertificates(folder: string, files: { readonly key: string; readonly cert: string }): void {
  makeAuthority(folder, 'ca');
  openssl(folder, `req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout ${files.key} -out server.csr`);
  writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost\n');
  openssl(
    folder,
    `x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out ${files.cert}`,
  );
}

function openssl(cwd: string, options: string): void {
  execFileSync('openssl', options.split(' '), { cwd, stdio: 'ignore' });
}
