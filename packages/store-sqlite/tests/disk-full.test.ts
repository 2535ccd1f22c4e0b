import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '@esdb-gater/store-sqlite';
import { type AppendResult, GaterError } from '@esdb-gater/types';
import { afterAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-full-'));
const mounted = mountSmallDisk();

afterAll(() => {
  if (mounted) execFileSync('umount', [folder]);
  rmSync(folder, { recursive: true });
});

/** A disk of 6 MiB, where this user may mount one. */
function mountSmallDisk(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test.skipIf(!mounted)(
  'with a full disk appends fail with unavailable, reads go on, and it recovers (needs mount) [F4]',
  async () => {
    const filler = join(folder, 'filler');
    await writeFile(filler, Buffer.alloc(2 * 1_048_576));
    const store = await openSqliteStore({ storeId: 'main', file: join(folder, 'main.db') });
    const append = (): Promise<AppendResult> =>
      store.appendEvents({
        storeId: 'main',
        streamId: 's',
        events: [{ type: 't', data: 'x'.repeat(50_000) }],
      });
    let written = 0;
    let failure: unknown;
    while (failure === undefined && written < 1_000) {
      await append().then(
        () => {
          written += 1;
        },
        (error: unknown) => {
          failure = error;
        },
      );
    }
    expect(GaterError.is(failure) && failure.code).toBe('unavailable');
    expect(store.health()).toMatchObject({ status: 'degraded', message: expect.stringContaining('full') });

    // Reads go on, also the probe of the worker, and what was acknowledged is there.
    expect(await store.quickHealthCheck()).toEqual({});
    const page = await store.getEvents({ storeId: 'main', streamId: 's', count: 1_000 });
    expect(page.version).toBe(written - 1);
    await expect(append()).rejects.toMatchObject({ code: 'unavailable' });

    await rm(filler);
    // The probe writes when the last transaction failed: that is how health recovers without an append.
    await store.quickHealthCheck();
    expect(store.health()).toEqual({ status: 'healthy' });
    expect(await append()).toMatchObject({ version: written, position: written + 1 });
    await store.close();
  },
);
