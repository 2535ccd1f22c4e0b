import { execFileSync } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = join(import.meta.dirname, '..', '..', '..');

/** A folder on the disk of the checkout, not in memory, so that a flush reaches the disk. */
export function benchFolder(name: string): string {
  const folder = join(root, '.cache', 'bench', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** A folder that outlives the runs, for a peer that is built or installed once. */
export function peersFolder(name: string): string {
  const folder = join(root, '.cache', 'bench-peers', name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The machine and version of the figures. */
export function machineText(): string {
  const [cpu] = cpus();
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: root,
    encoding: 'utf8',
  }).trim();
  const dirty =
    execFileSync('git', ['status', '--porcelain', '-uno'], { cwd: root, encoding: 'utf8' }).trim() !== '';
  return [
    `${cpus().length} × ${cpu?.model.trim() ?? 'unknown CPU'}`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `Node ${process.versions.node}`,
    `SQLite ${process.versions['sqlite'] ?? '?'}`,
    `commit ${commit}${dirty ? ' with changes' : ''}`,
    new Date().toISOString().slice(0, 10),
  ].join(', ');
}

const FLUSH_MS = 1_000;

/** Flushes a second of 4 KB that extend a file: the disk's limit for one writer. */
export function flushesPerSecond(): number {
  const file = join(benchFolder('flush'), 'file');
  const handle = openSync(file, 'w');
  const block = Buffer.alloc(4_096, 1);
  const startedAt = performance.now();
  let flushes = 0;
  while (performance.now() - startedAt < FLUSH_MS) {
    writeSync(handle, block);
    fdatasyncSync(handle);
    flushes += 1;
  }
  closeSync(handle);
  return flushes / ((performance.now() - startedAt) / 1_000);
}

const ANSWERS_WITHIN_MS = 20_000;

/** Waits until an HTTP server answers with a status that fits. @throws after 20 s */
export async function answersWithin(url: string, fits: (status: number) => boolean): Promise<void> {
  for (const deadline = performance.now() + ANSWERS_WITHIN_MS; ; await sleep(50)) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer !== undefined && fits(answer.status)) return;
    if (performance.now() > deadline) throw new Error(`${url} does not answer`);
  }
}
