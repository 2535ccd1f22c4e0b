import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const HERE = import.meta.dirname;
const CACHE_DIR = join(HERE, '..', '..', '.cache', 'collector');
const SOURCES = ['go.mod', 'go.sum', 'main.go'];

/** The path of the Collector that is built from these sources; it changes with the sources. */
export function collectorBinary(): string {
  const hash = createHash('sha256');
  for (const name of SOURCES) hash.update(readFileSync(join(HERE, name)));
  return join(CACHE_DIR, `collector-${hash.digest('hex').slice(0, 16)}`);
}

/**
 * Builds it with Go, unless it is already built. The first build takes some minutes.
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
    // The rename is atomic: other processes never see a partial file.
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
      // Go does not download another toolchain; one that is too old reports it.
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
