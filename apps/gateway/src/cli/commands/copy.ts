import { copyStore, type StoreCopySource, type StoreCopyTarget } from '@esdb-gater/event-store';
import { openSqliteCopySource } from '@esdb-gater/store-sqlite';
import { type CommonOptions, outputOf, type Terminal } from '../context.ts';
import { UsageError } from '../exit.ts';
import { jsonLine, plain } from '../output.ts';
import { createProgress } from '../progress.ts';

export interface CopyCommandOptions extends Pick<CommonOptions, 'store' | 'json'> {
  readonly from: string;
  readonly to: string;
  readonly fromSchema?: string;
  readonly toSchema?: string;
  readonly tamperEvident?: boolean;
}

const URL_FORM = /^postgres(ql)?:\/\//;

/** `copy --from FILE|URL --to URL`: copies a store to PostgreSQL, and compares both in the end. */
export async function copy(options: CopyCommandOptions, terminal: Terminal): Promise<void> {
  const { from, to, store, fromSchema, toSchema } = options;
  if (!URL_FORM.test(to))
    throw new UsageError('--to must be a connection string such as postgres://user@host/database');
  const isFile = !URL_FORM.test(from);
  if (isFile && fromSchema !== undefined)
    throw new UsageError('--from-schema is for a PostgreSQL source only');
  const source = isFile ? openSqliteCopySource(from) : await openPostgres(from, store, fromSchema, 'source');
  const progress = createProgress(terminal.stderr, () => performance.now());
  let target: StoreCopyTarget | undefined;
  try {
    target = await openPostgres(to, store, toSchema, 'target', isEvident(source, options));
    const copied = await copyStore(source, target, {
      signal: terminal.interrupted,
      // Both phases take about as long, so each is half of the bar.
      onProgress: ({ phase, done, total }) =>
        progress.update(phase === 'copying' ? done : total + done, 2 * total, done),
    });
    progress.end();
    const output = outputOf(options, terminal);
    const { position, resumedAfter, hiddenStreams, snapshots, subscriptions } = copied;
    const begun = resumedAfter > 0 ? `, ${resumedAfter} of them before` : '';
    const rest = `${hiddenStreams} deleted streams, ${snapshots} snapshots, ${subscriptions} subscriptions`;
    const text = `copied ${position} events${begun}, ${rest}; all of it was compared`;
    await output.line(output.isForPeople ? plain(text) : jsonLine(copied));
  } finally {
    progress.end();
    await source.close();
    await target?.close();
  }
}

const isEvident = (source: StoreCopySource, options: CopyCommandOptions): boolean =>
  source.tamperEvident || options.tamperEvident === true;

async function openPostgres(
  url: string,
  storeId: string,
  schema: string | undefined,
  role: 'source' | 'target',
  tamperEvident = false,
): Promise<StoreCopyTarget> {
  const { openPostgresCopy } = await import('@esdb-gater/store-postgres');
  return openPostgresCopy({ storeId, url, ...(schema === undefined ? {} : { schema }), tamperEvident }, role);
}
