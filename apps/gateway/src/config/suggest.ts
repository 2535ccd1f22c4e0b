/** Returns the edit distance of `a` and `b`: insertions, deletions, substitutions and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, changed);
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (before[j - 2] ?? best) + 1);
      row.push(best);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/** Returns the candidate that is most like `given`, if one is near enough. */
function suggest(given: string, candidates: Iterable<string>): string | undefined {
  // Names come from files and variables and may have any length: a name longer than every key gets no suggestion.
  if (given.length > 128) return undefined;
  let best: string | undefined;
  let least = Math.max(2, Math.floor(given.length / 4)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - given.length) >= least) continue;
    const distance = editDistance(given.toLowerCase(), candidate.toLowerCase());
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Returns ` (did you mean \`X\`?)`, or an empty string. */
export function didYouMean(given: string, candidates: Iterable<string>): string {
  const found = suggest(given, candidates);
  return found === undefined ? '' : ` (did you mean \`${found}\`?)`;
}
