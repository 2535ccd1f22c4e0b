// The history of a git repository, oldest commit first, read while git writes it.
import { type ChildProcess, spawn } from 'node:child_process';
import { ExampleError } from './ndjson.ts';

export interface Person {
  readonly name: string;
  readonly email: string;
}

/** The items of a repository, in this order: each commit is followed by its changed files, if requested. */
export type LogItem =
  | {
      readonly kind: 'commit';
      readonly hash: string;
      readonly parents: readonly string[];
      readonly author: Person;
      /** ISO 8601 with milliseconds and `Z`. */
      readonly authoredAt: string;
      readonly committer: Person;
      readonly committedAt: string;
      readonly message: string;
    }
  | {
      readonly kind: 'file';
      /** Of the commit. */
      readonly hash: string;
      readonly change: 'added' | 'modified' | 'deleted' | 'type_changed';
      /** The bytes that git stores, in any encoding. */
      readonly path: Buffer;
    };

const FIELDS = ['%H', '%P', '%an', '%ae', '%at', '%cn', '%ce', '%ct', '%B'];

// A user's configuration and later commits (.mailmap, rename detection) must not change the output: an import can be
// resumed because the same commit always results in the same events.
const CONFIG = [
  'i18n.logOutputEncoding=UTF-8',
  'log.showSignature=false',
  'log.showRoot=true',
  'log.diffMerges=off',
];
const OPTIONS = [
  '-z',
  '--reverse',
  '--topo-order',
  '--no-color',
  '--no-notes',
  '--no-ext-diff',
  '--no-renames',
];

const CHANGES: ReadonlyMap<string, 'added' | 'modified' | 'deleted' | 'type_changed'> = new Map([
  ['A', 'added'],
  ['M', 'modified'],
  ['D', 'deleted'],
  ['T', 'type_changed'],
]);

/**
 * @param withFiles whether to read the changed files; those of merges are omitted, since their parents have them
 * @throws `ExampleError` for a folder that is not a repository, and for one without commits
 */
export async function* readGitLog(folder: string, withFiles: boolean): AsyncGenerator<LogItem> {
  await checkHistory(folder);
  const args = [
    'log',
    ...OPTIONS,
    ...(withFiles ? ['--name-status'] : []),
    `--format=${FIELDS.join('%x00')}`,
  ];
  const git = spawnGit(folder, args);
  const ended = outcome(git);
  // A reader that leaves before the end closes the pipe, and that ends git.
  yield* parseLog(git.stdout ?? []);
  const { code, stderr } = await ended;
  if (code !== 0) throw new ExampleError(`git log failed: ${firstLine(stderr)}`);
}

/** Items of the output of `git log -z --name-status` in our format. */
export async function* parseLog(
  output: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<LogItem> {
  let fields: Buffer[] = [];
  let hash = '';
  let change: string | undefined;
  for await (const token of splitAtNul(output)) {
    if (change !== undefined) {
      const known = CHANGES.get(change);
      change = undefined;
      if (known !== undefined) yield { kind: 'file', hash, change: known, path: token };
      continue;
    }
    if (fields.length === 0) {
      // Between two commits: a status letter (the first one after a line feed), or the hash of the next.
      const status = token.toString('latin1').trimStart();
      if (/^[A-Z]\d*$/.test(status)) {
        change = status;
        continue;
      }
    }
    fields.push(token);
    if (fields.length < FIELDS.length) continue;
    const commit = commitOf(fields);
    hash = commit.hash;
    fields = [];
    yield commit;
  }
}

async function* splitAtNul(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = buffer.indexOf(0); end !== -1; end = buffer.indexOf(0, start)) {
      yield Buffer.concat([...rest, buffer.subarray(start, end)]);
      rest = [];
      start = end + 1;
    }
    if (start < buffer.length) rest.push(buffer.subarray(start));
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}

function commitOf(fields: readonly Buffer[]): LogItem & { readonly kind: 'commit' } {
  const text = (index: number): string => fields[index]?.toString('utf8') ?? '';
  return {
    kind: 'commit',
    hash: text(0).trim(),
    parents: text(1).split(' ').filter(Boolean),
    author: { name: text(2), email: text(3) },
    authoredAt: instant(text(4)),
    committer: { name: text(5), email: text(6) },
    committedAt: instant(text(7)),
    message: text(8).trimEnd(),
  };
}

/** Formatted here, since versions of git differ in how they write ISO 8601. */
function instant(seconds: string): string {
  const date = new Date(Number(seconds) * 1_000);
  return Number.isNaN(date.getTime()) ? seconds : date.toISOString();
}

async function checkHistory(folder: string): Promise<void> {
  const { code, stderr } = await outcome(
    spawnGit(folder, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']),
  );
  if (code === 0) return;
  if (code === 1) throw new ExampleError(`${folder} has no commits yet`);
  throw new ExampleError(`${folder} is not a readable git repository: ${firstLine(stderr)}`);
}

function spawnGit(folder: string, args: readonly string[]): ChildProcess {
  const config = CONFIG.flatMap((setting) => ['-c', setting]);
  return spawn('git', ['-C', folder, ...config, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function outcome(
  git: ChildProcess,
): Promise<{ readonly code: number | null; readonly stderr: string }> {
  let stderr = '';
  git.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(0, 4_096);
  });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  git.on('error', (error) => reject(new ExampleError(`git cannot be started: ${error.message}`)));
  git.on('exit', resolve);
  return { code: await promise, stderr };
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
