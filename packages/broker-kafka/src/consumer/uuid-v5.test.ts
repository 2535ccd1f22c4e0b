import { expect, test } from 'vitest';
import { uuidV5 } from './uuid-v5.ts';

test('a UUIDv5 is the one that another implementation computes', () => {
  // python3 -c "import uuid; print(uuid.uuid5(uuid.NAMESPACE_URL, 'http://www.example.com/'))"
  expect(uuidV5('http://www.example.com/')).toBe('fcde3c85-2270-590f-9e7c-ee003d65e0e2');
  expect(uuidV5('esdb_channel_events/0/17')).toBe('199ba712-699e-5bc9-b90f-49b5aed2d009');
});
