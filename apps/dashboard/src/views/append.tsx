import type { AppendResult } from '@esdb-gater/types';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { announce } from '../announce.ts';
import { href, route } from '../router.ts';
import { gater, tokenFacts } from '../session/session.ts';
import { allows, resourcePart } from '../session/token.ts';
import { Icon } from '../ui/icon.tsx';
import { JsonField, parseJson } from '../ui/json-field.tsx';
import { Card, Field, PageHead, Problem } from '../ui/parts.tsx';
import { TextInput } from '../ui/text-input.tsx';
import { useTitle } from '../ui/use-title.ts';
import { listOf } from './event-filter.tsx';

const EXPECTED = {
  any: ['any version', -2],
  none: ['the stream does not exist yet', -1],
  exists: ['the stream exists', -4],
  version: ['exactly this version', undefined],
} as const;
type Expected = keyof typeof EXPECTED;

interface Outcome {
  readonly result?: AppendResult;
  readonly error?: unknown;
}

/** Appends one event. */
export function AppendView({ storeId }: { readonly storeId: string }): JSX.Element {
  useTitle(`Append to ${storeId}`);
  const [stream, setStream] = useState(route.value.query.get('stream') ?? '');
  const [type, setType] = useState('');
  const [data, setData] = useState('{}');
  const [metadata, setMetadata] = useState('');
  const [tags, setTags] = useState('');
  const [expected, setExpected] = useState<Expected>('any');
  const [version, setVersion] = useState('0');
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome>({});
  const facts = tokenFacts.value;
  const mayAppend =
    facts === undefined ||
    allows(facts.grants, 'stream/append', `/stream/${resourcePart(storeId)}/${resourcePart(stream)}`);
  const parsedData = parseJson(data);
  const parsedMetadata = metadata.trim() === '' ? { value: undefined } : parseJson(metadata);
  const isComplete = stream !== '' && type !== '' && 'value' in parsedData && 'value' in parsedMetadata;

  const append = async (): Promise<void> => {
    const client = gater.value;
    if (client === undefined || !('value' in parsedData) || !('value' in parsedMetadata)) return;
    setBusy(true);
    setOutcome({});
    try {
      const event = {
        type,
        data: parsedData.value as never,
        ...(parsedMetadata.value === undefined ? {} : { metadata: parsedMetadata.value as never }),
        ...(tags.trim() === '' ? {} : { tags: listOf(tags) }),
      };
      const expectedVersion = EXPECTED[expected][1] ?? Number(version);
      const result = await client.appendEvents({
        storeId,
        streamId: stream,
        expectedVersion,
        events: [event],
      });
      setOutcome({ result });
      announce(`Appended version ${result.version}.`);
    } catch (error) {
      setOutcome({ error });
    }
    setBusy(false);
  };

  const { result, error } = outcome;
  return (
    <>
      <PageHead
        title="Append an event"
        about={
          <>
            to store <a href={href(['streams', storeId])}>{storeId}</a>
          </>
        }
      />
      {!mayAppend && (
        <div class="problem warn" role="status">
          <Icon name="key" />
          <p>
            Your token does not allow <code>stream/append</code> on this stream.{' '}
            <a href="#/access">See what it allows</a>
          </p>
        </div>
      )}
      <Card title="Event">
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            void append();
          }}
        >
          <div class="form-row">
            <Field label="Stream" hint="For example users-1">
              <TextInput value={stream} required maxLength={255} onText={setStream} />
            </Field>
            <Field label="Type" hint="For example user_created">
              <TextInput value={type} required maxLength={255} onText={setType} />
            </Field>
          </div>
          <JsonField label="Data (JSON)" value={data} onInput={setData} />
          <div class="form-row">
            <Field label="Expect" hint="The append is refused when the stream is not as expected.">
              <select
                value={expected}
                onChange={(event) => setExpected(event.currentTarget.value as Expected)}
              >
                {Object.entries(EXPECTED).map(([one, [label]]) => (
                  <option key={one} value={one}>
                    {label}
                  </option>
                ))}
              </select>
            </Field>
            {expected === 'version' && (
              <Field label="Version">
                <input
                  type="number"
                  min="0"
                  step="1"
                  required
                  value={version}
                  onInput={(event) => setVersion(event.currentTarget.value)}
                />
              </Field>
            )}
            <Field label="Tags" hint="Commas between">
              <TextInput value={tags} onText={setTags} />
            </Field>
          </div>
          <details class="more">
            <summary>Metadata</summary>
            <JsonField
              label="Metadata (a JSON object)"
              hint="Such as { &quot;correlationId&quot;: &quot;…&quot; }"
              rows={3}
              value={metadata}
              onInput={setMetadata}
            />
          </details>
          {error !== undefined && <Problem error={error} />}
          {result !== undefined && (
            <p class="success" role="status">
              <Icon name="check" />
              <span>
                {result.duplicate ? 'It was there already' : 'Appended'}: version {result.version}, position{' '}
                {result.position}. <a href={href(['events', storeId], { stream })}>See the stream</a>
              </span>
            </p>
          )}
          <div>
            <button type="submit" class="button primary" disabled={busy || !mayAppend || !isComplete}>
              <Icon name="plus" /> {busy ? 'Appending…' : 'Append'}
            </button>
          </div>
        </form>
      </Card>
    </>
  );
}
