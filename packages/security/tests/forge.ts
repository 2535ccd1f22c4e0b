import { Identity, TOKEN_HEADER } from '@esdb-gater/security';

/** Unix seconds: the present of these tests. */
export const NOW = 1_800_000_000;

const identity = (last: number): Identity => {
  const seed = new Uint8Array(32);
  seed[31] = last;
  return Identity.fromSeed(seed);
};

/** A trusted root, two audiences, a gateway, and a stranger. */
export const [root, alice, bob, gateway, mallory] = [1, 2, 3, 4, 5].map(identity) as [
  Identity,
  Identity,
  Identity,
  Identity,
  Identity,
];

export const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Claims that are good, as `createToken` would make them. */
export function claimsOf(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    iss: root.did,
    aud: gateway.did,
    iat: NOW,
    exp: NOW + 900,
    nnc: 'AAAAAAAAAAAAAAAA',
    att: [{ with: 'esdb://default/stream/default/users-*', can: 'stream/read' }],
    prf: [],
    ...change,
  };
}

/** Any header and claims, given as values or as texts, with a signature that is good. */
export function forge(
  claims: unknown = claimsOf(),
  { header = TOKEN_HEADER, by = root }: { header?: unknown; by?: Identity } = {},
): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${Buffer.from(by.sign(Buffer.from(signed))).toString('base64url')}`;
}

/** The reason, after `unauthorized`, or another code, that `run` throws; `undefined` when it does not throw. */
export function reasonOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    const { code, reason } = error as { code?: string; reason?: string };
    return code === 'unauthorized' ? reason : `${code ?? String(error)}/${reason}`;
  }
}
