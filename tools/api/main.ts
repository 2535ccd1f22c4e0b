// `npm run api`: writes a report of the exports of each package into `api/`. `npm run api -- --check` compares them with
// the reports there, and fails when they differ, so that a change of the API is seen in review.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConsoleMessageId, Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import { build } from '../build.ts';
import { type Entry, entryPoints } from './entries.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const REPORTS = join(ROOT, 'api');

const isCheck = process.argv.includes('--check');
process.exitCode = await main();

async function main(): Promise<number> {
  const built = await build();
  if (built !== 0) return built;
  mkdirSync(REPORTS, { recursive: true });
  const drafts = mkdtempSync(join(tmpdir(), 'esdb-gater-api-'));
  try {
    const entries = entryPoints(ROOT);
    const changed = entries.filter((entry) => writeReport(entry, drafts)).map(({ report }) => fileOf(report));
    const expected = new Set(entries.map(({ report }) => fileOf(report)));
    const left = readdirSync(REPORTS).filter((file) => !expected.has(file));
    if (!isCheck) {
      for (const file of left) rmSync(join(REPORTS, file));
      process.stdout.write(`${entries.length} reports, ${changed.length} changed: ${changed.join(', ')}\n`);
      return 0;
    }
    if (changed.length + left.length === 0) return 0;
    process.stderr.write(
      `the exports differ from their reports: ${[...changed, ...left].map((file) => `api/${file}`).join(', ')}\n` +
        'run `npm run api`, and commit the reports\n',
    );
    return 1;
  } finally {
    rmSync(drafts, { recursive: true, force: true });
  }
}

/** Writes the report of an entry point. Returns true when it differs from the one in `api/`. */
function writeReport({ folder, types, report }: Entry, drafts: string): boolean {
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, 'package.json'),
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: types,
      newlineKind: 'lf',
      compiler: { overrideTsconfig: tsconfig(types) },
      apiReport: {
        enabled: true,
        reportFolder: REPORTS,
        reportTempFolder: drafts,
        reportFileName: fileOf(report),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        // Release tags and TSDoc are not used here.
        extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
  });
  const errors: string[] = [];
  const result = Extractor.invoke(config, {
    localBuild: !isCheck,
    messageCallback(message) {
      message.handled = true;
      const isReport = [
        ConsoleMessageId.ApiReportCopied,
        ConsoleMessageId.ApiReportNotCopied,
        ConsoleMessageId.ApiReportCreated,
        ConsoleMessageId.ApiReportUnchanged,
      ].some((id) => id === message.messageId);
      if (!isReport && message.logLevel === ExtractorLogLevel.Error) {
        errors.push(message.formatMessageWithLocation(ROOT));
      }
    },
  });
  if (errors.length > 0) throw new Error(`cannot report the API of ${report}: ${errors.join('; ')}`);
  return result.apiReportChanged;
}

function fileOf(report: string): string {
  return `${report}.api.md`;
}

/** The declarations are those that the build emitted; the extractor has a compiler of its own. */
function tsconfig(file: string): object {
  return {
    compilerOptions: {
      module: 'nodenext',
      moduleResolution: 'nodenext',
      target: 'esnext',
      lib: ['esnext', 'dom'],
      types: ['node'],
      strict: true,
      skipLibCheck: true,
    },
    files: [file],
  };
}
