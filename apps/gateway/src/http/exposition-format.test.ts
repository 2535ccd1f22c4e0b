import { expect, test } from 'vitest';
import { expositionFormat } from './exposition-format.ts';

test.each([
  ['application/openmetrics-text', 'openmetrics'],
  ['application/openmetrics-text; version=1.0.0', 'openmetrics'],
  ['Application/OpenMetrics-Text;Version=1.0.0;Q=0.5, text/plain;q=0.5', 'openmetrics'],
  // Prometheus 3 sends this.
  [
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.4,*/*;q=0.2',
    'openmetrics',
  ],
  ['text/plain, application/openmetrics-text;q=0.9', 'prometheus'],
  ['application/openmetrics-text;q=0', 'prometheus'],
  ['application/openmetrics-text;q=2', 'prometheus'],
  ['application/openmetrics-text;q=x', 'prometheus'],
  ['text/html,*/*;q=0.8', 'prometheus'],
  ['', 'prometheus'],
  [undefined, 'prometheus'],
] as const)('accept %j gets the format %s', (accept, format) => {
  expect(expositionFormat(accept)).toBe(format);
});
