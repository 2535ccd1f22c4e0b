/** The end of a text in which the bits that no byte has are zero, so that the same bytes have one form only. */
const CANONICAL_END = /^(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)$/;

const FOREIGN = /[^A-Za-z0-9+/]/;

/** Returns true for bytes as RFC 4648 writes them, section 4: with padding, in the canonical form. No bytes are `''`. */
export function isBase64(value: unknown): value is string {
  if (typeof value !== 'string' || value.length % 4 !== 0) return false;
  if (value === '') return true;
  // The test of the body is linear: a repeated group would need memory for each of its steps.
  return !FOREIGN.test(value.slice(0, -4)) && CANONICAL_END.test(value.slice(-4));
}
