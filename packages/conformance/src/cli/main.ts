import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { MAX_TIMER_MS } from '@esdb-gater/primitives';
import { GaterError } from '@esdb-gater/types';
import { gatewayReport } from '../gateway/suite.ts';
import type { SuiteReport } from '../suite-case.ts';
import { loadAdapter, type SuiteKind, UsageError } from './load-adapter.ts';
import { type CaseResult, runCases } from './run-cases.ts';

/** Where the command writes. */
export interface Output {
  write(text: string): unknown;
}

const HELP = `Usage: conformance store|broker|discovery|worker --module FILE [options]
       conformance gateway URL [options]

Runs the promises of the port against an adapter, of a store against a worker, or of PROTOCOL.md against a gateway, and
exits with 0 when all are kept.

  --module FILE      exports open(), and may export reopen(opened), openTamperEvident(), supports, name, alertsHistory, patienceMs;
                     for a worker start(), which resolves to { url, storeId, token?, stop }, supports and name
  --store NAME       a store of the gateway that may be written to (default: default)
  --token-file FILE  a capability token for the gateway
  --only TEXT        only the cases whose title contains the text
  --timeout-ms N     how long a case may take (default: 60000)
  --list             print the cases without running them
  --json             one JSON value per line
  --help             this text

For a store, supports may have deletion, snapshots, queries, severalStreams, versionAt, bytes, tamperEvidence, feed,
subscriptions, inProcess and durability; for a broker, reopening and durability; for a discovery, announcing.
Cases that need what the adapter does not support are named and not run.
`;

const MARKS = { passed: '✓', failed: '✗', 'not supported': '-' } as const;

/** Runs the command. Resolves to the exit code: 0, 1 (a promise was not kept) or 2 (wrong usage). */
export async function main(args: readonly string[], stdout: Output, stderr: Output): Promise<number> {
  try {
    return await run(args, stdout);
  } catch (error) {
    if (!(error instanceof UsageError || GaterError.is(error) || isParseError(error))) throw error;
    stderr.write(`conformance: ${error.message} (--help shows the usage)\n`);
    return 2;
  }
}

async function run(args: readonly string[], stdout: Output): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      module: { type: 'string' },
      only: { type: 'string' },
      store: { type: 'string', default: 'default' },
      'token-file': { type: 'string' },
      'timeout-ms': { type: 'string', default: '60000' },
      list: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    stdout.write(HELP);
    return 0;
  }
  const report =
    positionals[0] === 'gateway'
      ? gatewayOf(positionals, values.store, values['token-file'])
      : await loadAdapter(kindOf(positionals), fileOf(values.module));
  if (values.list) {
    for (const { title, needs } of report.cases) {
      stdout.write(values.json ? `${JSON.stringify({ title, needs })}\n` : `${title}\n`);
    }
    return 0;
  }
  const counts = { passed: 0, failed: 0, 'not supported': 0 };
  for await (const result of runCases(report, {
    only: values.only,
    timeoutMs: millisecondsOf(values['timeout-ms']),
  })) {
    counts[result.outcome]++;
    stdout.write(values.json ? `${JSON.stringify(result)}\n` : lineOf(result));
  }
  if (counts.passed + counts.failed === 0)
    throw new UsageError(`no case was run; is --only "${values.only}" right?`);
  if (values.json) stdout.write(`${JSON.stringify({ ...counts, supports: report.supports })}\n`);
  else stdout.write(summaryOf(counts, report.supports));
  return counts.failed === 0 ? 0 : 1;
}

const KINDS: readonly string[] = ['store', 'broker', 'discovery', 'worker'] satisfies SuiteKind[];

function kindOf(positionals: readonly string[]): SuiteKind {
  const [kind = ''] = positionals;
  if (positionals.length === 1 && KINDS.includes(kind)) return kind as SuiteKind;
  throw new UsageError(
    `expected store, broker, discovery, worker or gateway, got ${JSON.stringify(positionals.join(' '))}`,
  );
}

function gatewayOf(
  [, url = '', ...more]: readonly string[],
  storeId: string,
  tokenFile: string | undefined,
): SuiteReport {
  if (!/^wss?:\/\/[^/]+/.test(url) || more.length > 0) {
    throw new UsageError(
      `gateway needs one ws:// or wss:// URL, got ${JSON.stringify([url, ...more].join(' '))}`,
    );
  }
  const parsed = new URL(url);
  if (parsed.pathname === '/') parsed.pathname = '/v1/ws';
  return gatewayReport(parsed.href, {
    storeId,
    ...(tokenFile !== undefined && { token: tokenOf(tokenFile) }),
  });
}

function tokenOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UsageError(
      `cannot read --token-file ${file}: ${String((error as NodeJS.ErrnoException).code)}`,
    );
  }
}

function fileOf(file: string | undefined): string {
  if (file === undefined) throw new UsageError('--module FILE is missing');
  return file;
}

function millisecondsOf(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= MAX_TIMER_MS) return value;
  throw new UsageError(`--timeout-ms must be an integer from 1, got ${JSON.stringify(text)}`);
}

function lineOf({ title, outcome, reason }: CaseResult): string {
  return `${MARKS[outcome]} ${title}${reason === undefined ? '' : `\n    ${reason.replaceAll('\n', '\n    ')}`}\n`;
}

function summaryOf(
  counts: Readonly<Record<string, number>>,
  supports: Readonly<Record<string, boolean>>,
): string {
  const rows = Object.entries(supports).map(([name, yes]) => `  ${name.padEnd(16)}${yes ? 'yes' : 'no'}\n`);
  const missing = counts['not supported'] ?? 0;
  const line = `${counts['passed']} passed, ${counts['failed']} failed`;
  return `\nsupports\n${rows.join('')}\n${line}${missing === 0 ? '' : `, ${missing} not supported`}\n`;
}

function isParseError(error: unknown): error is Error {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
