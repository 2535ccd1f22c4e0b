import { request } from 'node:http';
import { createToken, Identity } from '@esdb-gater/security';
import { startTestGateway, type TestGateway } from '../support/in-process.ts';
import type { RawClient, RpcAnswer } from '../support/raw-client.ts';

export interface Grant {
  readonly with: string;
  readonly can: string;
}

export const ALL: readonly Grant[] = [{ with: '*', can: '*' }];
export const STREAMS = 'esdb://default/stream/default/';

/** The trusted root of every gateway of these tests. */
export const root: Identity = Identity.generate();

/** A gateway that requires a token for everything, with stores in memory. */
export function startGuarded(
  flags: Readonly<Record<string, string>> = {},
  options: Parameters<typeof startTestGateway>[1] = {},
): Promise<TestGateway> {
  return startTestGateway(
    {
      'security-capabilities': 'required',
      'security-trusted-issuers': root.did,
      'limits-authenticate-ms': '20000',
      stores: '{"default":{"engine":"memory"},"secret":{"engine":"memory"}}',
      ...flags,
    },
    options,
  );
}

/** A token of the trusted root. */
export function tokenFor(audience: string, att: readonly Grant[] = ALL): string {
  return createToken({ issuer: root, audience, att });
}

export const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

/** `code` or `code/reason` of a refusal, `ok` of a result. */
export function verdict({ error }: RpcAnswer): string {
  if (error === undefined) return 'ok';
  const reason = error.data['reason'];
  return reason === undefined ? error.data.code : `${error.data.code}/${String(reason)}`;
}

export const base64url = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Claims that are valid now, in plain JSON, created without the package under test. */
export function claimsFor(audience: string, change: Record<string, unknown> = {}): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1_000);
  return {
    iss: root.did,
    aud: audience,
    iat: now,
    exp: now + 900,
    nnc: base64url(crypto.randomUUID().slice(0, 16)),
    att: ALL,
    prf: [],
    ...change,
  };
}

/** Any header and claims, as values or texts, with a signature that is good. */
export function forge(
  claims: unknown,
  {
    header = { alg: 'EdDSA', typ: 'JWT', ucv: '0.9.1' },
    by = root,
  }: { header?: unknown; by?: Identity } = {},
): string {
  const signed = `${base64url(header)}.${base64url(claims)}`;
  return `${signed}.${Buffer.from(by.sign(Buffer.from(signed))).toString('base64url')}`;
}

/** A delegated token with claims that were not checked: `delegateToken` refuses wrong ones. */
export function forgeChild(
  parent: string,
  issuer: Identity,
  audience: string,
  att: readonly Grant[],
): string {
  return forge(claimsFor(audience, { iss: issuer.did, att, prf: [parent] }), { by: issuer });
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  /** `code`, or `code/reason`, of a problem; `ok` of a success; else the status. */
  readonly verdict: string;
}

/** Sends a request with an unchanged path: URL parsers normalise `%2e%2e`. */
export function rawHttp(
  base: string,
  method: string,
  path: string,
  options: { readonly token?: string | undefined; readonly body?: unknown } = {},
): Promise<HttpAnswer> {
  const { hostname, port } = new URL(base);
  const headers: Record<string, string> = {
    ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
    ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers, agent: false }, (response) => {
      const { statusCode: status = 0 } = response;
      const type = response.headers['content-type'] ?? '';
      // A stream of events never ends, so its head is the answer.
      if (type.startsWith('text/event-stream')) {
        resolve({ status, text: '', verdict: 'ok' });
        sent.destroy();
        return;
      }
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status, text, verdict: httpVerdict(status, text) }));
    });
    sent.on('error', reject);
    sent.end(options.body === undefined ? undefined : JSON.stringify(options.body));
  });
}

function httpVerdict(status: number, text: string): string {
  if (status >= 200 && status < 300) return 'ok';
  const problem = (text.startsWith('{') ? JSON.parse(text) : {}) as { code?: string; reason?: string };
  if (problem.code === undefined) return String(status);
  return problem.reason === undefined ? problem.code : `${problem.code}/${problem.reason}`;
}

/** The verdicts of one token at every way in: the upgrade, `authenticate`, a single call, and HTTP. */
export async function everyDoor(gateway: TestGateway, client: RawClient, token: string): Promise<string[]> {
  const upgraded = await rawHttp(gateway.http, 'GET', '/v1/stores/default/streams/users-1', { token });
  const upgrade = await upgradeVerdict(gateway.http, token);
  const authenticated = await client.call('authenticate', { token });
  const called = await client.call('getVersion', { storeId: 'default', streamId: 'users-1', token });
  return [upgrade, verdict(authenticated), verdict(called), upgraded.verdict];
}

/** Returns the answer to an upgrade request with this token. */
export function upgradeVerdict(base: string, token: string, path: string = '/v1/ws'): Promise<string> {
  const { hostname, port } = new URL(base);
  const headers = {
    authorization: `Bearer ${token}`,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': Buffer.alloc(16, 7).toString('base64'),
  };
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(httpVerdict(response.statusCode ?? 0, text)));
    });
    sent.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve('ok');
    });
    sent.on('error', reject);
    sent.end();
  });
}
