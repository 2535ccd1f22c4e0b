import type { ChannelInfo, PublishResult } from '@esdb-gater/types';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { announce } from '../announce.ts';
import { gater } from '../session/session.ts';
import { Icon } from '../ui/icon.tsx';
import { JsonField, parseJson } from '../ui/json-field.tsx';
import { Card, CopyButton, Field, Problem } from '../ui/parts.tsx';
import { TextInput } from '../ui/text-input.tsx';

interface Outcome {
  readonly result?: PublishResult;
  readonly error?: unknown;
}

/** Publishes a message on a channel. Where messages must be signed it says how: the secret never comes into a browser. */
export function PublishForm({ info }: { readonly info: ChannelInfo }): JSX.Element {
  const [topic, setTopic] = useState('');
  const [message, setMessage] = useState('{}');
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome>({});
  if (info.requireSignature) {
    const command = `npm exec -- esdb-gater publish ${info.name} TOPIC '{}' --sign`;
    return (
      <Card title="Publish">
        <p>
          This channel accepts only signed messages, and their secret does not belong into a browser. At a
          terminal:
        </p>
        <div class="command">
          <pre>
            <code>{command}</code>
          </pre>
          <CopyButton text={command} what="the command" />
        </div>
      </Card>
    );
  }
  const parsed = parseJson(message);
  const publish = async (): Promise<void> => {
    const client = gater.value;
    if (client === undefined || !('value' in parsed)) return;
    setBusy(true);
    setOutcome({});
    try {
      const result = await client.publish({ channel: info.name, topic, message: parsed.value as never });
      setOutcome({ result });
      announce('Published.');
    } catch (error) {
      setOutcome({ error });
    }
    setBusy(false);
  };
  const { result, error } = outcome;
  return (
    <Card title="Publish">
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void publish();
        }}
      >
        <Field label="Topic" hint="Segments with dots between them, such as deploys.done">
          <TextInput class="mono" value={topic} required maxLength={1_024} onText={setTopic} />
        </Field>
        <JsonField label="Message (JSON)" rows={4} value={message} onInput={setMessage} />
        {error !== undefined && <Problem error={error} />}
        {result !== undefined && (
          <p class="success" role="status">
            <Icon name="check" />
            <span>
              Published <code class="break">{result.id}</code>
              {result.delivered ? '' : ', but the channel is off: it reached nobody'}
            </span>
          </p>
        )}
        <div>
          <button
            type="submit"
            class="button primary"
            disabled={busy || topic === '' || !('value' in parsed)}
          >
            <Icon name="send" /> {busy ? 'Publishing…' : 'Publish'}
          </button>
        </div>
      </form>
    </Card>
  );
}
