// Turns the history of a git repository into events: see README.md in this folder.
import { parseArgs } from 'node:util';
import { type LogItem, readGitLog } from './git-log.ts';
import { ExampleError, type ImportLine, runExample, uuidV5, validName, writeLines } from './ndjson.ts';

const USAGE = 'usage: node examples/git-history.ts [REPOSITORY] [--stream-by author|file]';

/** A message that is longer is cut: an event takes 1 MiB as JSON. */
const MESSAGE_UNITS = 65_536;

/**
 * The events of a repository, oldest first.
 *
 * By author, each author's stream has the `commit_recorded` events of their commits. By file, the stream `commits` has
 * them all, and each file's stream a `file_changed` for every commit that changed it.
 */
export async function* gitHistory(folder: string, streamBy: 'author' | 'file'): AsyncGenerator<ImportLine> {
  for await (const item of readGitLog(folder, streamBy === 'file')) {
    if (item.kind === 'file') yield fileChanged(item);
    else
      yield commitRecorded(item, streamBy === 'author' ? validName('author-', item.author.name) : 'commits');
  }
}

function commitRecorded(commit: LogItem & { readonly kind: 'commit' }, streamId: string): ImportLine {
  const { kind: _, message, ...rest } = commit;
  const cut = message.slice(0, MESSAGE_UNITS).toWellFormed();
  const [subject = '', ...body] = cut.split('\n');
  return {
    streamId,
    type: 'commit_recorded',
    data: {
      ...rest,
      subject,
      body: body.join('\n').trim(),
      ...(cut.length < message.length && { messageCut: true }),
    },
    id: eventId(commit.hash, 'commit_recorded', streamId),
    metadata: { correlationId: commit.hash },
    tags: [`commit:${commit.hash}`, validName('author:', commit.author.email)],
  };
}

function fileChanged({ hash, change, path }: LogItem & { readonly kind: 'file' }): ImportLine {
  const streamId = validName('file-', path);
  return {
    streamId,
    type: 'file_changed',
    data: { hash, change, path: path.toString('utf8') },
    id: eventId(hash, 'file_changed', streamId),
    metadata: { correlationId: hash, causationId: eventId(hash, 'commit_recorded', 'commits') },
    tags: [`commit:${hash}`],
  };
}

/** The stream is part of it: imports by author and by file into one store must not share ids. */
function eventId(hash: string, type: string, streamId: string): string {
  return uuidV5(`git:${hash}\n${type}\n${streamId}`);
}

function parse(args: readonly string[]): { readonly folder: string; readonly streamBy: 'author' | 'file' } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { 'stream-by': { type: 'string', default: 'author' } },
    });
    const streamBy = values['stream-by'];
    if (positionals.length <= 1 && (streamBy === 'author' || streamBy === 'file')) {
      return { folder: positionals[0] ?? '.', streamBy };
    }
  } catch {
    // An unknown option: the same answer.
  }
  throw new ExampleError(USAGE, 2);
}

if (import.meta.main) {
  await runExample(async () => {
    const { folder, streamBy } = parse(process.argv.slice(2));
    await writeLines(gitHistory(folder, streamBy), process.stdout);
  });
}
