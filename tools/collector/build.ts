import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const HERE = import.meta.dirname;
const CACHE_DIR = join(HERE, '..', '..', '.cache', 'collector');
const SOURCES = ['go.mod', 'go.sum', 'main.go'];

/** Where the Collector of these sources lies once it is built: another one for every change of them. */
export function collectorBinary(): string {
  const hash = createHash('sha256');
  for (const name of SOURCES) hash.update(readFileSync(join(HERE, name)));
  return join(CACHE_DIR, `collector-${hash.digest('hex').slice(0, 16)}`);
}

/**
 * Builds it with Go, unless that was done before: some minutes once, and nothing after that.
 *
 * @throws an error of one line when Go is missing or too old, or cannot build it
 */
export async function buildCollector(say: (line: string) => void): Promise<string> {
  const binary = collectorBinary();
  if (existsSync(binary)) return binary;
  say('building the OpenTelemetry Collector (once, some minutes)');
  mkdirSync(CACHE_DIR, { recursive: true });
  const draft = `${binary}.${process.pid}`;
  try {
    await go(['build', '-trimpath', '-ldflags=-s -w', '-o', draft, '.']);
    // The rename is atomic: another process sees all of it or nothing.
    renameSync(draft, binary);
  } finally {
    rmSync(draft, { force: true });
  }
  return binary;
}

function go(options: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('go', options, {
      cwd: HERE,
      stdio: ['ignore', 'ignore', 'pipe'],
      // No other toolchain is fetched: one that is too old says so.
      env: { ...process.env, GOTOOLCHAIN: 'local', GOWORK: 'off', CGO_ENABLED: '0' },
    });
    let complaint = '';
    child.stderr.on('data', (data: Buffer) => {
      complaint = `${complaint}${data.toString()}`.slice(-2_000);
    });
    child.once('error', () => reject(new Error('go does not run here: install Go 1.25 or newer')));
    child.once('close', (code) => {
      const last = complaint.trim().split('\n').at(-1);
      if (code === 0) resolve();
      else reject(new Error(`go build ended with ${code}: ${last}`));
    });
  });
}
