import { fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { jsonLine, plain } from './output.ts';

describe('what the command line prints', () => {
  test('stays one line whatever a topic holds, and is the same JSON [T18]', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const line = jsonLine(value);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
        expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
        expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('escapes what would turn the text or move the cursor [T18]', () => {
    expect(jsonLine('a\u202eb\u009b2J')).toBe('"a\\u202eb\\u009b2J"');
    expect(plain('a\n{"level":50}\u001b[2J')).toBe('a\\u000a{"level":50}\\u001b[2J');
  });
});
