import { hostname } from 'node:os';
import { silentLogger } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { createOriginGuard, type OriginGuardOptions } from './origin-guard.ts';

const OPTIONS: OriginGuardOptions = {
  host: '127.0.0.1',
  port: 4590,
  tls: false,
  advertiseUrl: null,
  allowedOrigins: null,
  tokensRequired: true,
};
const components = { logger: silentLogger };
const HOST = '127.0.0.1:4590';

function verdicts(options: Partial<OriginGuardOptions>, origins: readonly string[]): string[] {
  const guard = createOriginGuard(components, { ...OPTIONS, ...options });
  return origins.filter((origin) => guard.check({ host: HOST, origin }) === 'allowed');
}

test('programs other than browsers send no origin and are allowed', () => {
  expect(createOriginGuard(components, OPTIONS).check({ host: HOST })).toBe('allowed');
});

test("only the gateway's own origins pass by default: not evil ones, null, suffixes or other ports", () => {
  const own = [
    'http://127.0.0.1:4590',
    'http://localhost:4590',
    'http://[::1]:4590',
    'HTTP://LOCALHOST:4590',
  ];
  const others = [
    'https://evil.example',
    'null',
    'http://127.0.0.1:4590.evil.example',
    'http://localhost:4591',
    'http://localhost',
    'https://localhost:4590',
    'http://localhost:4590@evil.example',
    'http://evil.example/?http://localhost:4590',
    'file://',
    '',
  ];
  expect(verdicts({}, [...own, ...others])).toEqual(own);
});

test('configured origins and the advertised one pass too', () => {
  const allowed = verdicts(
    { allowedOrigins: ['https://app.example'], advertiseUrl: 'wss://gw.example/v1/ws' },
    ['https://app.example', 'https://gw.example', 'http://app.example', 'null'],
  );
  expect(allowed).toEqual(['https://app.example', 'https://gw.example']);
});

test('on loopback a foreign host name is refused, whatever its address', () => {
  const guard = createOriginGuard(components, OPTIONS);
  const names = [
    'evil.example:4590',
    'localhost.evil.example',
    '127.0.0.1.evil.example:4590',
    'localhost@evil',
    '10.0.0.1',
  ];
  for (const host of names) expect(guard.check({ host })).toBe('host_not_allowed');
  for (const host of ['localhost:4590', 'LOCALHOST', '127.0.0.1', '[::1]:8080', 'localhost.:4590']) {
    expect(guard.check({ host })).toBe('allowed');
  }
});

test('beyond loopback any name of the gateway passes, but foreign origins do not', () => {
  const guard = createOriginGuard(components, { ...OPTIONS, host: '0.0.0.0' });
  expect(guard.check({ host: 'gateway.internal:4590' })).toBe('allowed');
  expect(guard.check({ host: 'gateway.internal:4590', origin: 'http://gateway.internal:4590' })).toBe(
    'origin_not_allowed',
  );
});

test('without tokens no foreign name passes, but addresses, the machine and configured names do [R9]', () => {
  const guard = createOriginGuard(components, {
    ...OPTIONS,
    host: '0.0.0.0',
    tokensRequired: false,
    advertiseUrl: 'ws://gateway.internal:4590/v1/ws',
    allowedOrigins: ['https://app.example'],
  });
  for (const host of [
    'evil.example',
    '10.0.0.1.evil.example:4590',
    'localhost.evil.example',
    '1.2.3',
    '',
    '[x]',
  ]) {
    expect(guard.check({ host }), host).toBe('host_not_allowed');
  }
  const own = [
    'gateway.internal',
    'app.example:1',
    '192.0.2.7:4590',
    '[2001:db8::1]:4590',
    'localhost',
    hostname(),
  ];
  for (const host of own) expect(guard.check({ host }), host).toBe('allowed');
});

test('origins of app shells pass when they are listed, and only they [R9]', () => {
  const listed = [
    'capacitor://localhost',
    'tauri://localhost',
    'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
    'app://Shell.example:80',
    'https://app.example/',
  ];
  const guard = createOriginGuard(components, { ...OPTIONS, allowedOrigins: listed });
  for (const origin of ['capacitor://localhost', 'chrome-extension://abcdefghijklmnopabcdefghijklmnop']) {
    expect(guard.check({ host: HOST, origin }), origin).toBe('allowed');
  }
  for (const origin of ['app://shell.example:80', 'https://app.example', 'tauri://localhost']) {
    expect(guard.check({ host: HOST, origin }), origin).toBe('allowed');
  }
  const others = [
    'capacitor://localhost.evil',
    'ionic://localhost',
    'chrome-extension://other',
    'null',
    'tauri://',
  ];
  for (const origin of others) {
    expect(guard.check({ host: HOST, origin }), origin).toBe('origin_not_allowed');
  }
});

test('a refused origin is logged once, and a flood is not logged [R9]', () => {
  const warned: unknown[] = [];
  const logger = { ...silentLogger, warn: (...args: unknown[]) => void warned.push(args) };
  const guard = createOriginGuard({ logger }, OPTIONS);
  for (const origin of ['https://evil.example', 'https://evil.example', 'https://two.example']) {
    guard.check({ host: HOST, origin });
  }
  expect(warned).toEqual([
    [
      { origin: 'https://evil.example', key: 'http.allowedOrigins' },
      expect.stringContaining('http.allowedOrigins'),
    ],
    [
      { origin: 'https://two.example', key: 'http.allowedOrigins' },
      expect.stringContaining('http.allowedOrigins'),
    ],
  ]);
  for (let i = 0; i < 5_000; i++) guard.check({ host: HOST, origin: `https://${i}.example` });
  expect(warned).toHaveLength(100);
});
