import type { FoundEvent, WriteAnswer } from './write-request.ts';

type FoundColumns = readonly [
  id: string,
  part: number,
  version: number,
  position: number,
  type: string,
  data: string | null,
  contentType: string | null,
  base64: string | null,
  metadata: string,
  tags: string,
];

type RawAnswer =
  | readonly ['w', readonly (readonly [version: number, position: number])[]]
  | readonly ['c', number]
  | readonly ['u']
  | readonly ['t']
  | readonly ['k', readonly (readonly [version: number, hidden: number])[], readonly FoundColumns[] | null];

/** Decodes what `write_batch` returns: an answer for each request. */
export function decodeAnswers(text: string): WriteAnswer[] {
  return (JSON.parse(text) as RawAnswer[]).map(decodeAnswer);
}

function decodeAnswer(raw: RawAnswer): WriteAnswer {
  switch (raw[0]) {
    case 'w':
      return { kind: 'written', parts: raw[1].map(([version, position]) => ({ version, position })) };
    case 'c':
      return { kind: 'condition', position: raw[1] };
    case 'u':
      return { kind: 'unchecked' };
    case 't':
      return { kind: 'clock' };
    case 'k':
      return {
        kind: 'refused',
        states: raw[1].map(([version, hiddenThrough]) => ({ version, hiddenThrough })),
        found: (raw[2] ?? []).map(foundEvent),
      };
  }
}

function foundEvent(columns: FoundColumns): FoundEvent {
  const [idKey, part, version, position, type, data, contentType, base64, metadata, tags] = columns;
  const known = { idKey, part, version, position, type, data: data ?? '', metadata, tags };
  return contentType === null ? known : { ...known, bytes: { contentType, base64: base64 ?? '' } };
}
