import { fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { validatePattern, validateTopic } from './validate-topic.ts';

const refusal = (check: () => unknown): { reason: unknown; segment: unknown; message: string } => {
  try {
    check();
  } catch (error) {
    const { message, reason, segment } = error as Error & { reason: unknown; segment: unknown };
    return { message, reason, segment };
  }
  throw new Error('was not refused');
};

describe('validateTopic', () => {
  test('takes segments joined by dots', () => {
    for (const topic of [
      'a',
      'a.b',
      'user.created',
      'größe.中.💥',
      'a:b/c@d+e_f-g',
      '%2e',
      'a'.repeat(1_024),
    ]) {
      expect(validateTopic(topic)).toBe(topic);
    }
  });

  test('takes `__proto__`, `constructor` and `toString` as names like any other [T15]', () => {
    expect(validateTopic('__proto__.constructor.toString')).toBe('__proto__.constructor.toString');
  });

  test('names the segment that is wrong', () => {
    expect(refusal(() => validateTopic('a.b c.d'))).toEqual({
      reason: 'topic',
      segment: 2,
      message: 'segment 2 of the topic "a.b c.d" has white space',
    });
  });

  test('refuses empty segments at every place', () => {
    expect(
      ['.a', 'a..b', 'a.', '.', '..'].map((topic) => refusal(() => validateTopic(topic)).segment),
    ).toEqual([1, 2, 2, 1, 1]);
    expect(refusal(() => validateTopic('')).message).toMatch(/empty/);
  });

  test('refuses white space of every kind and control characters', () => {
    for (const bad of [' ', '\t', '\n', '\r', '\u00a0', '\u1680', '\u2003', '\u2028', '\u3000', '\ufeff']) {
      expect(refusal(() => validateTopic(`a${bad}b`)).message).toMatch(/white space/);
    }
    for (const bad of ['\u0000', '\u001f', '\u007f', '\u0085', '\u009f']) {
      expect(refusal(() => validateTopic(`x.${bad}`))).toMatchObject({ segment: 2, reason: 'topic' });
    }
  });

  test('refuses the same characters as `\\s` and the control classes of a regular expression would', () => {
    const bad = /[\s\p{Cc}]/u;
    for (let unit = 0; unit <= 0xffff; unit++) {
      if ((unit >= 0xd800 && unit <= 0xdfff) || '.*>'.includes(String.fromCharCode(unit))) continue;
      const topic = `a${String.fromCharCode(unit)}b`;
      let refused = false;
      try {
        validateTopic(topic);
      } catch {
        refused = true;
      }
      if (refused !== bad.test(topic)) expect.fail(`U+${unit.toString(16)}`);
    }
  });

  test('refuses lone surrogates and takes pairs', () => {
    for (const bad of ['a\ud800', '\udc00b', '\ud800\ud800\udc00x\udc00', '\ud800.\udc00']) {
      expect(refusal(() => validateTopic(bad)).message).toMatch(/lone surrogate/);
    }
    expect(validateTopic('a.\ud83d\ude00')).toBe('a.😀');
  });

  test('refuses `*` and `>` anywhere in a topic that is published', () => {
    for (const bad of ['*', 'a.*', 'a.>', 'a*b', '>x']) {
      expect(refusal(() => validateTopic(bad)).message).toMatch(/only a subscription/);
    }
  });

  test('accepts 1 024 UTF-16 units and 32 segments, and refuses one more of either', () => {
    expect(validateTopic('a'.repeat(1_024))).toHaveLength(1_024);
    expect(refusal(() => validateTopic('a'.repeat(1_025))).message).toMatch(
      /at most 1024 UTF-16 units, got 1025/,
    );
    const segments = Array.from({ length: 32 }, () => 'a').join('.');
    expect(validateTopic(segments)).toBe(segments);
    expect(refusal(() => validateTopic(`${segments}.a`)).message).toMatch(
      /segment 33 .* is beyond the limit of 32 segments/,
    );
  });

  test('refuses a value that is not a string, and names its type', () => {
    for (const bad of [undefined, null, 1, {}, []]) {
      expect(refusal(() => validateTopic(bad)).message).toMatch(/must be a string, got /);
    }
  });

  test('escapes control characters and shortens long topics in its message', () => {
    const { message } = refusal(() => validateTopic(`a\u001b[31m${'x'.repeat(500)}`));
    expect(message).not.toContain('\u001b');
    expect(message.length).toBeLessThan(200);
  });
});

describe('validatePattern', () => {
  test('takes `*` as a whole segment and a last `>`', () => {
    for (const pattern of ['*', '>', 'a.*', '*.a', 'a.*.b', 'a.>', '*.*.>', 'a']) {
      expect(validatePattern(pattern)).toBe(pattern);
    }
  });

  test('refuses wildcards beside other characters and a `>` that is not last', () => {
    for (const bad of ['a*', '*a', 'a.b*.c', '**', 'a.>b', '>>', '>.a', 'a.>.b', '*>']) {
      expect(refusal(() => validatePattern(bad)).reason).toBe('topic');
    }
    expect(refusal(() => validatePattern('a.>.b'))).toMatchObject({ segment: 2, message: /last segment/ });
  });

  test('accepts every topic that can be published', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        let topic: string;
        try {
          topic = validateTopic(text);
        } catch {
          return;
        }
        expect(validatePattern(topic)).toBe(text);
      }),
    );
  });
});
