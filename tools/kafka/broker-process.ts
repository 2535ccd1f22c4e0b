import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendSignal } from '../servers/processes.ts';

const READY = 'Kafka Server started';
const READY_WITHIN_MS = 90_000;

export interface JavaOptions {
  readonly classPath: string;
  readonly dir: string;
  /** Flags of heap, collector and compiler. */
  readonly memory: readonly string[];
  /** The broker continues to run when this process ends. */
  readonly detached: boolean;
  /** More arguments of the format. */
  readonly formatArguments?: readonly string[];
}

const FLAGS = ['-XX:-UsePerfData', '-Xshare:auto'];

/** A broker that starts quickly and takes little, for development and tests. It pauses for some 15 ms every now and then. */
export function smallMemory(heapMb: number): string[] {
  return [`-Xmx${heapMb}m`, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
}

/** The options of Kafka's start scripts, for measurements. */
export const SERVER_MEMORY: readonly string[] = [
  '-Xms1g',
  '-Xmx1g',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
];

/** Writes the metadata that a data directory needs before its first start. */
export async function formatStorage(options: JavaOptions, clusterId: string): Promise<void> {
  const log = join(options.dir, 'format.log');
  const child = java({ ...options, memory: smallMemory(128), detached: false }, log, [
    'kafka.tools.StorageTool',
    'format',
    '--ignore-formatted',
    '-t',
    clusterId,
    '-c',
    join(options.dir, 'server.properties'),
    ...(options.formatArguments ?? []),
  ]);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0)
    throw new Error(`formatting ${options.dir} failed: ${complaint(readFileSync(log, 'utf8'))}`);
}

/** Starts a broker and resolves with its process id once it serves. */
export async function startBroker(options: JavaOptions): Promise<number> {
  const log = join(options.dir, 'server.log');
  const from = sizeOf(log);
  const child = java(options, log, ['kafka.Kafka', join(options.dir, 'server.properties')]);
  if (child.pid === undefined) throw new Error('java could not be started');
  // Polls the log file, since a detached process has no other output.
  for (const deadline = Date.now() + READY_WITHIN_MS; Date.now() < deadline; await sleep(50)) {
    const text = readFileSync(log).subarray(from).toString('utf8');
    if (text.includes(READY)) return child.pid;
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the broker in ${options.dir} ended at its start: ${complaint(text)}`);
    }
  }
  sendSignal(child.pid, 'SIGKILL');
  throw new Error(
    `the broker in ${options.dir} was not ready within ${READY_WITHIN_MS / 1_000} s; see ${log}`,
  );
}

function java(options: JavaOptions, log: string, rest: readonly string[]): ChildProcess {
  const output = openSync(log, 'a');
  try {
    const child = spawn('java', [...options.memory, ...FLAGS, '-cp', options.classPath, ...rest], {
      cwd: options.dir,
      stdio: ['ignore', output, output],
      detached: options.detached,
    });
    if (options.detached) child.unref();
    return child;
  } finally {
    closeSync(output);
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Returns the line with the reason of a failure, without the stack trace of Java. */
function complaint(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !/^\s+at /.test(line));
  return (
    lines.findLast((line) => /ERROR|FATAL|Exception|Error:/.test(line)) ?? lines.at(-1) ?? 'it said nothing'
  );
}
