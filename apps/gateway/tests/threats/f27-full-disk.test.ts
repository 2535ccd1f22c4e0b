import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRevocation, tokenId } from '@esdb-gater/security';
import { afterAll, expect, test } from 'vitest';
import { rawConnect } from '../support/raw-client.ts';
import { bearer, root, startGuarded, tokenFor, verdict } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-f27-'));
const mounted = mountSmallDisk();

afterAll(() => {
  if (mounted) execFileSync('umount', [folder]);
  rmSync(folder, { recursive: true });
});

/** A disk of 1 MiB, where this user may mount one. */
function mountSmallDisk(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Fills the disk to its last page. */
function fill(): string {
  const filler = join(folder, 'filler');
  for (let size = 1_048_576; size > 0; size -= 4_096) {
    try {
      writeFileSync(filler, Buffer.alloc(size));
      return filler;
    } catch {
      // One page less.
    }
  }
  throw new Error('the disk was full before');
}

test.skipIf(!mounted)(
  'a revocation is answered only when it is on disk, also when it is repeated, and a failed write stays due (needs mount) [R13] [F27]',
  async () => {
    const gateway = await startGuarded({}, { dataDir: folder });
    const admin = await rawConnect(gateway.url, bearer(tokenFor(gateway.did)));
    const tokens = Array.from({ length: 60 }, () => tokenFor(gateway.did));
    const revoke = async (token: string): Promise<string> =>
      verdict(await admin.call('revokeToken', createRevocation(root, { cid: tokenId(token) })));
    const [first = '', second = '', ...others] = tokens;

    // The first one creates the file, for which there is no room.
    let filler = fill();
    expect([await revoke(first), await revoke(first)]).toEqual(['unavailable', 'unavailable']);
    // In force it is already.
    expect(verdict(await admin.call('health', { token: first }))).toBe('unauthorized/revoked');
    rmSync(filler);
    expect(await revoke(second)).toBe('ok');

    // Later ones are appended, until the last page is full.
    filler = fill();
    const answers = new Map<string, string>();
    for (const token of others) answers.set(token, await revoke(token));
    const failed = [...answers].filter(([, answer]) => answer === 'unavailable').map(([token]) => token);
    expect(new Set(answers.values())).toEqual(new Set(['ok', 'unavailable']));
    expect(failed.length).toBeGreaterThan(40);
    expect(await revoke(failed[0] ?? '')).toBe('unavailable');
    rmSync(filler);
    // What failed is written with the next one, and a repetition is answered.
    expect(await revoke(failed[0] ?? '')).toBe('ok');
    await gateway.close();

    const restarted = await startGuarded({}, { dataDir: folder });
    const client = await rawConnect(restarted.url);
    for (const token of tokens) {
      expect(verdict(await client.call('health', { token }))).toBe('unauthorized/revoked');
    }
    await restarted.close();
  },
);
