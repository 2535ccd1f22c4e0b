import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jsonLines, temporaryFolder } from './support/gateway-process.ts';
import { runInProcess } from './support/terminal.ts';

const folder = temporaryFolder();
afterAll(folder.remove);
const file = (name: string) => join(folder.path, name);
const STORE = 'esdb://default/stream/default';

async function identity(name: string): Promise<string> {
  const { stdout } = await runInProcess(['identity', 'new', '--file', file(name), '--json']);
  return (jsonLines<{ did: string }>(stdout)[0] as { did: string }).did;
}

let root: string;
let service: string;
let user: string;

beforeAll(async () => {
  [root, service, user] = [
    await identity('root.json'),
    await identity('service.json'),
    await identity('user.json'),
  ];
  const created = await runInProcess([
    'token',
    'create',
    '--identity',
    file('root.json'),
    '--audience',
    service,
    '--grant',
    `stream/*=${STORE}/users-*`,
    '--out',
    file('parent.jwt'),
  ]);
  expect(created).toMatchObject({ code: 0, stderr: '' });
  await runInProcess([
    'token',
    'create',
    '--identity',
    file('service.json'),
    '--audience',
    user,
    '--parent',
    file('parent.jwt'),
    '--grant',
    `stream/read=${STORE}/users-1`,
    '--lifetime',
    '60',
    '--out',
    file('child.jwt'),
  ]);
});

describe('identity new', () => {
  test('stores the key in a file that only its owner can read, and prints only the DID', async () => {
    const made = await runInProcess(['identity', 'new', '--file', file('mode.json')]);
    expect(made.stdout).toMatch(/^did:key:z6Mk[1-9A-HJ-NP-Za-km-z]+\n$/);
    expect(statSync(file('mode.json')).mode & 0o777).toBe(0o600);
    const shown = await runInProcess(['identity', 'show', '--file', file('mode.json')]);
    expect(shown.stdout).toBe(made.stdout);
  });

  test('never overwrites a key', async () => {
    const before = readFileSync(file('root.json'), 'utf8');
    const { code, stderr } = await runInProcess(['identity', 'new', '--file', file('root.json')]);
    expect(code).toBe(2);
    expect(stderr).toContain('not overwritten');
    expect(readFileSync(file('root.json'), 'utf8')).toBe(before);
  });
});

describe('token create', () => {
  test('stores a token in a file of mode 0600', () => {
    expect(statSync(file('parent.jwt')).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['a grant without a resource', ['--grant', 'stream/read']],
    ['a lifetime that is not a number', ['--grant', `stream/read=${STORE}/a`, '--lifetime', 'long']],
    ['a file that is not an identity', ['--grant', `stream/read=${STORE}/a`, '--identity', file('no.json')]],
  ])('refuses %s', async (_, args) => {
    writeFileSync(file('no.json'), '{"seed":"hunter2"}');
    const all = ['token', 'create', '--identity', file('root.json'), '--audience', service, ...args];
    const { code, stdout, stderr } = await runInProcess(all);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).not.toContain('hunter2');
  });
});

describe('token inspect', () => {
  test('prints the chain with issuers, expiry and grants', async () => {
    const { stdout } = await runInProcess(['token', 'inspect', file('child.jwt')]);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^token bafkrei/);
    expect(lines[1]).toBe(`   issuer    ${service}`);
    expect(stdout).toContain(`   may       stream/read  on  ${STORE}/users-1`);
    expect(stdout).toMatch(/until {5}\S+Z \(\d+ s left\)/);
    expect(stdout).toContain('    └─ from bafkrei');
    expect(stdout).toContain(`       issuer    ${root}`);
  });

  test('keeps control characters of a forged token out of the terminal', async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const forged = `${part({ alg: 'none' })}.${part({ iss: '\u001b[2Jroot\n', prf: [] })}.AA`;
    const { stdout } = await runInProcess(['token', 'inspect'], { stdin: forged });
    expect(stdout).toContain('\\u001b[2Jroot\\u000a');
    expect(stdout).toContain('PROBLEM');
  });
});

describe('token verify', () => {
  const verify = (...args: string[]) => runInProcess(['token', 'verify', file('child.jwt'), ...args]);

  test('accepts a valid chain and prints its expiry', async () => {
    const wanted = ['--action', 'stream/read', '--resource', `${STORE}/users-1`];
    const { code, stdout } = await verify('--trusted', root, '--audience', user, ...wanted);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^valid until \S+Z\n$/);
  });

  test.each([
    ['untrusted_root', 'does not end at a trusted issuer', () => ['--trusted', service, '--audience', user]],
    ['wrong_audience', 'it was issued to another audience', () => ['--trusted', root, '--audience', root]],
    [
      'insufficient_permissions',
      'does not allow this action',
      () => [
        '--trusted',
        root,
        '--audience',
        user,
        '--action',
        'stream/append',
        '--resource',
        `${STORE}/users-1`,
      ],
    ],
  ])('describes the reason %s', async (reason, words, args) => {
    const { code, stderr } = await verify(...args());
    expect(code).toBe(1);
    expect(stderr).toContain(words);
    expect(stderr).toContain(`reason=${reason}`);
    expect(stderr.trimEnd()).not.toContain('\n');
  });

  test('never prints the token', async () => {
    const token = readFileSync(file('child.jwt'), 'utf8').trim();
    const { stderr } = await verify('--trusted', service, '--audience', user);
    expect(stderr).not.toContain(token.slice(0, 40));
  });
});
