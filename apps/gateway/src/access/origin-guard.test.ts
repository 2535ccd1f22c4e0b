import { expect, test } from 'vitest';
import { createOriginGuard, type OriginGuardOptions } from './origin-guard.ts';

const OPTIONS: OriginGuardOptions = {
  host: '127.0.0.1',
  port: 4590,
  tls: false,
  advertiseUrl: null,
  allowedOrigins: null,
};
const HOST = '127.0.0.1:4590';

function verdicts(options: Partial<OriginGuardOptions>, origins: readonly string[]): string[] {
  const guard = createOriginGuard({ ...OPTIONS, ...options });
  return origins.filter((origin) => guard.check({ host: HOST, origin }) === 'allowed');
}

test('programs that are no browser send no origin and pass', () => {
  expect(createOriginGuard(OPTIONS).check({ host: HOST })).toBe('allowed');
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
    { allowedOrigins: ['https://app.example', 'not a url', 'null'], advertiseUrl: 'wss://gw.example/v1/ws' },
    ['https://app.example', 'https://gw.example', 'http://app.example', 'null'],
  );
  expect(allowed).toEqual(['https://app.example', 'https://gw.example']);
});

test('on loopback a foreign host name is refused, whatever it resolves to', () => {
  const guard = createOriginGuard(OPTIONS);
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
  const guard = createOriginGuard({ ...OPTIONS, host: '0.0.0.0' });
  expect(guard.check({ host: 'gateway.internal:4590' })).toBe('allowed');
  expect(guard.check({ host: 'gateway.internal:4590', origin: 'http://gateway.internal:4590' })).toBe(
    'origin_not_allowed',
  );
});
