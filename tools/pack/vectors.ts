import { createHmac, createPrivateKey, sign } from 'node:crypto';
import type { Answers } from './answers.ts';

/** Questions to the security package. Bytes are hexadecimal text. */
export interface Vectors {
  readonly rfc4231: readonly { readonly key: string; readonly data: string; readonly mac: string }[];
  readonly rfc8032: readonly {
    readonly seed: string;
    readonly publicKey: string;
    readonly message: string;
    readonly signature: string;
    /** did:key of the public key. */
    readonly did: string;
  }[];
  readonly base58: readonly { readonly bytes: string; readonly text: string }[];
  /** Of all kinds of JSON values. */
  readonly value: object;
  readonly trustedIssuer: string;
  readonly audience: string;
  /** Unix seconds at which the tokens and messages are good. */
  readonly now: number;
  readonly tokens: readonly string[];
  readonly messages: readonly object[];
  readonly channel: string;
  readonly topic: string;
  readonly secret: string;
  readonly nonce: string;
}

const ascii = (text: string): string => Buffer.from(text).toString('hex');

/** RFC 4231, section 4, without the truncated case 5. */
const RFC_4231: Vectors['rfc4231'] = [
  {
    key: '0b'.repeat(20),
    data: ascii('Hi There'),
    mac: 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  },
  {
    key: ascii('Jefe'),
    data: ascii('what do ya want for nothing?'),
    mac: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  },
  {
    key: 'aa'.repeat(20),
    data: 'dd'.repeat(50),
    mac: '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
  },
  {
    key: '0102030405060708090a0b0c0d0e0f10111213141516171819',
    data: 'cd'.repeat(50),
    mac: '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
  },
  {
    key: 'aa'.repeat(131),
    data: ascii('Test Using Larger Than Block-Size Key - Hash Key First'),
    mac: '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  },
  {
    key: 'aa'.repeat(131),
    data: ascii(
      'This is a test using a larger than block-size key and a larger than block-size data. ' +
        'The key needs to be hashed before being used by the HMAC algorithm.',
    ),
    mac: '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
  },
];

/** RFC 8032, section 7.1, tests 1 to 3, with the did:key of each public key. */
const RFC_8032: Vectors['rfc8032'] = [
  {
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    did: 'did:key:z6MktwupdmLXVVqTzCw4i46r4uGyosGXRnR3XjN4Zq7oMMsw',
  },
  {
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    did: 'did:key:z6MkiaMbhXHNA4eJVCCj8dbzKzTgYDKf6crKgHVHid1F1WCT',
  },
  {
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    did: 'did:key:z6MkwSD8dBdqcXQzKJZQFPy2hh2izzxskndKCjdmC2dBpfME',
  },
];

/** From `base58_encode_decode.json` of Bitcoin Core. */
const BASE58: Vectors['base58'] = [
  { bytes: '', text: '' },
  { bytes: '61', text: '2g' },
  { bytes: '626262', text: 'a3gV' },
  { bytes: '73696d706c792061206c6f6e6720737472696e67', text: '2cFupjhnEsSn59qHXstmK2ffpLv2' },
  { bytes: '00eb15231dfceb60925886b67d065299925915aeb172c06647', text: '1NS17iag9jJgTHD1VXjvLCEnZuQ3rJDE9L' },
  { bytes: '10c8511e', text: 'Rt5zm' },
  { bytes: '00000000000000000000', text: '1111111111' },
];

const VALUE = {
  z: [1, 2.5, 1e21, -0, true, null, ''],
  a: { '\u00e9': '\u20ac\u{1f600}\u0000', B: {} },
  '10': '"\\/',
};
const CANONICAL =
  '{"10":"\\"\\\\/","a":{"B":{},"\u00e9":"\u20ac\u{1f600}\\u0000"},"z":[1,2.5,1e+21,0,true,null,""]}';

const NOW = 1_800_000_000;
const [ROOT, ALICE, GATEWAY] = RFC_8032 as [
  Vectors['rfc8032'][number],
  Vectors['rfc8032'][number],
  Vectors['rfc8032'][number],
];
const ATT = [{ with: 'esdb://default/stream/default/users-*', can: 'stream/read' }];
const WIDE = [{ with: '*', can: '*' }];

/** A token, created with only node:crypto. */
function token(by: Vectors['rfc8032'][number], claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const all = {
    iss: by.did,
    iat: NOW,
    exp: NOW + 900,
    nnc: 'AAAAAAAAAAAAAAAA',
    att: ATT,
    prf: [],
    ...claims,
  };
  const signed = `${part({ alg: 'EdDSA', typ: 'JWT', ucv: '0.9.1' })}.${part(all)}`;
  const key = createPrivateKey({
    key: Buffer.from(`302e020100300506032b657004220420${by.seed}`, 'hex'),
    format: 'der',
    type: 'pkcs8',
  });
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`;
}

const SECRET = 'h\u00e9 \u{1f511}';

/** A signed message, created with only node:crypto. Its members are in canonical order. */
function message(topic: string): object {
  const members = { disk: 'full', key_id: 'default', nonce: 'AAAAAAAAAAAAAAAB', signed_at: NOW };
  const text = `esdb-gater/1\nalerts\n${topic}\n${JSON.stringify(members)}`;
  return { ...members, signature: createHmac('sha256', SECRET).update(text).digest('base64url') };
}

const GOOD = token(ROOT, { aud: GATEWAY.did });
const FOR_ALICE = token(ROOT, { aud: ALICE.did });

export const VECTORS: Vectors = {
  rfc4231: RFC_4231,
  rfc8032: RFC_8032,
  base58: BASE58,
  value: VALUE,
  trustedIssuer: ROOT.did,
  audience: GATEWAY.did,
  now: NOW,
  tokens: [
    GOOD,
    token(ALICE, { aud: GATEWAY.did, prf: [FOR_ALICE] }),
    token(ALICE, { aud: GATEWAY.did, prf: [FOR_ALICE], att: WIDE }),
    token(ALICE, { aud: GATEWAY.did, att: WIDE }),
    token(ROOT, { aud: ALICE.did }),
    token(ROOT, { aud: GATEWAY.did, exp: NOW + 90_000 }),
    token(ROOT, { aud: GATEWAY.did, iat: NOW - 900, exp: NOW }),
    `${GOOD.slice(0, -43)}${GOOD.endsWith('A') ? 'B' : 'A'}${GOOD.slice(-42)}`,
    GOOD.slice(0, -1),
    'a.b.c',
  ],
  messages: [message('disk.full'), message('disk.gone'), { disk: 'full' }],
  channel: 'alerts',
  topic: 'disk.full',
  secret: SECRET,
  nonce: 'nonce',
};

const good = { issuer: ROOT.did, expiresAt: NOW + 900, att: ATT, links: 1 };

/** The answers that every engine must give, as published by others. */
export const KNOWN: Partial<Answers> = {
  macs: RFC_4231.map(({ mac }) => mac),
  publicKeys: RFC_8032.map(({ publicKey }) => publicKey),
  dids: RFC_8032.map(({ did }) => did),
  signatures: RFC_8032.map(({ signature }) => signature),
  verified: [true, true, true],
  forged: [false, false, false],
  base58: BASE58.map(({ text }) => text),
  base58Bytes: BASE58.map(({ bytes }) => bytes),
  canonical: CANONICAL,
  tokens: [
    good,
    { ...good, issuer: ALICE.did, links: 2 },
    'unauthorized/invalid_delegation',
    'unauthorized/untrusted_root',
    'unauthorized/wrong_audience',
    'unauthorized/parse_error',
    'unauthorized/expired',
    'unauthorized/invalid_signature',
    'unauthorized/parse_error',
    'unauthorized/parse_error',
  ],
  messages: [true, 'invalid_signature/mismatch', 'signature_required/undefined'],
  signedHere: true,
  madeHere: WIDE,
  proofs: [true, false],
  utf8: createHmac('sha256', 'k').update('\u00e9 \u{1f600}').digest('hex'),
};
