const DIGITS = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const DIGIT = '[1-9A-HJ-NP-Za-km-z]';

/** The first digits of the smallest and the greatest Base58 text of the bytes 0xed 0x01 and 32 more, after `6Mk`. */
const SMALLEST = 'eTG3bF';
const GREATEST = 'wgaR63';
const LENGTH = 44;

/** Returns a pattern for texts of `length` digits that are beyond all that begin with `bound`. */
function beside(bound: string, length: number, digitsOf: (digit: number) => string): string {
  const [first = '', ...others] = bound;
  const further = `[${digitsOf(DIGITS.indexOf(first))}]${DIGIT}{${length - 1}}`;
  return others.length === 0
    ? further
    : `(?:${further}|${first}${beside(others.join(''), length - 1, digitsOf)})`;
}

const above = beside(SMALLEST.slice(1), LENGTH - 1, (digit) => DIGITS.slice(digit + 1));
const below = beside(GREATEST.slice(1), LENGTH - 1, (digit) => DIGITS.slice(0, digit));
const between = DIGITS.slice(DIGITS.indexOf('e') + 1, DIGITS.indexOf('w'));

/** Matches the did:key of all Ed25519 keys but one of 10^10, and nothing else. */
export const DID_PATTERN: string = `^did:key:z6Mk(?:e${above}|[${between}]${DIGIT}{${LENGTH - 1}}|w${below})$`;
