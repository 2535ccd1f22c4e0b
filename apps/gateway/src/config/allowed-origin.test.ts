import { GaterError } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { parseAllowedOrigin } from './allowed-origin.ts';
import { loadConfig } from './load-config.ts';

test('an origin is read as browsers send it', () => {
  const origins = [
    'https://App.example:443/',
    'http://app.example:80',
    'http://[::1]:3000',
    'Tauri://Localhost',
  ];
  expect(origins.map((text) => parseAllowedOrigin(text)?.origin)).toEqual([
    'https://app.example',
    'http://app.example',
    'http://[::1]:3000',
    'tauri://localhost',
  ]);
});

test('an entry of http.allowedOrigins that can never match stops the start with its key [R9]', () => {
  const wrong = [
    ...['null', '*', 'app.example', 'app.example:443', 'localhost:3000', 'https://', 'https://*.example'],
    ...[
      'https://app.example/path',
      'https://app.example?x',
      'https://app.example#x',
      'https://user@app.example',
    ],
    ...[
      'wss://app.example',
      'ws://localhost',
      'file://',
      'file:///index.html',
      'data://x',
      'blob:https://app.example',
    ],
    ...[
      'capacitor://',
      'capacitor:localhost',
      'https://app.example https://b.example',
      'https://app.example:99999',
    ],
  ];
  for (const entry of wrong) {
    const load = (): unknown =>
      loadConfig({ flags: { 'http-allowed-origins': ['https://good.example', entry] } });
    let error: unknown;
    try {
      load();
    } catch (thrown) {
      error = thrown;
    }
    expect(GaterError.is(error) && error.code, JSON.stringify(entry)).toBe('invalid_argument');
    expect(String(error), JSON.stringify(entry)).toMatch(/allowed.?origins/i);
  }
  const right = ['capacitor://localhost', 'chrome-extension://abcdefghijklmnop', 'https://app.example'];
  expect(loadConfig({ flags: { 'http-allowed-origins': right } }).http.allowedOrigins).toEqual(right);
});
