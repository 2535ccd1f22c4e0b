import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { appendCommand, startChild } from './child.ts';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esdb-gater-flush-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function canTrace(): boolean {
  try {
    execFileSync('strace', ['-f', '-o', '/dev/null', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Appends under strace, and counts the acknowledgements that came before their part of the log was flushed. */
async function traceAppends(flush: string): Promise<{ acknowledged: number; unflushed: number }> {
  const trace = join(folder, 'trace');
  const strace = [
    'strace',
    '-f',
    '-qq',
    '-y',
    '-s',
    '32',
    '-e',
    'trace=pwrite64,write,fsync,fdatasync',
    '-o',
    trace,
  ];
  await startChild([...strace, ...appendCommand(join(folder, 'main.db'), '1', '30', flush)], () => {}).ended;
  return judge(await readFile(trace, 'utf8'));
}

/** Follows a trace: what was written to the log is dirty until a flush of the log has returned. */
function judge(trace: string): { acknowledged: number; unflushed: number } {
  let dirty = false;
  let acknowledged = 0;
  let unflushed = 0;
  const flushing = new Set<string>();
  for (const line of trace.split('\n')) {
    const thread = line.slice(0, line.indexOf(' '));
    if (/ pwrite64\(\d+<[^>]*-wal>/.test(line)) dirty = true;
    else if (/ (fsync|fdatasync)\(\d+<[^>]*-wal>/.test(line)) {
      if (line.endsWith('<unfinished ...>')) flushing.add(thread);
      else dirty = false;
    } else if (/ <\.\.\. (fsync|fdatasync) resumed>/.test(line) && flushing.delete(thread)) dirty = false;
    else if (/ write\(1<[^>]*>, "\{\\"streamId/.test(line)) {
      acknowledged += 1;
      if (dirty) unflushed += 1;
    }
  }
  return { acknowledged, unflushed };
}

test.skipIf(!canTrace())(
  'the system sees a flush between each write and its acknowledgement (needs strace) [F2]',
  { timeout: 60_000 },
  async () => {
    expect(await traceAppends('commit')).toEqual({ acknowledged: 30, unflushed: 0 });
  },
);

test.skipIf(!canTrace())(
  'the trace shows it when the engine is set to flush later (needs strace) [F2]',
  { timeout: 60_000 },
  async () => {
    const { acknowledged, unflushed } = await traceAppends('checkpoint');
    expect(acknowledged).toBe(30);
    expect(unflushed).toBeGreaterThan(20);
  },
);
