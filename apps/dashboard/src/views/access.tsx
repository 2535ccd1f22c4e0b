import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { errorCode, errorText } from '../session/error-text.ts';
import { gater, presentToken, sessionState, tokenFacts } from '../session/session.ts';
import { readToken, type TokenFacts } from '../session/token.ts';
import { ago, timeOf } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { Badge, Card, CopyButton, Field, PageHead } from '../ui/parts.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { useTitle } from '../ui/use-title.ts';

/** The token of this tab: what it says, and a form to give one. */
export function Access(): JSX.Element {
  useTitle('Access');
  const state = sessionState.value;
  const facts = tokenFacts.value;
  const hello = state.kind === 'connected' ? gater.value?.hello : undefined;
  return (
    <>
      <PageHead title="Access" about="The capability token that this page presents." />
      {state.kind === 'token' && (
        <div class="problem" role="alert">
          <Icon name="key" />
          <div>
            <p>
              {state.error === undefined
                ? 'This gateway wants a token from everybody. Present yours below.'
                : errorText(state.error)}
            </p>
            {state.error !== undefined && (
              <p class="problem-code">
                <code>{errorCode(state.error)}</code>
              </p>
            )}
          </div>
        </div>
      )}
      {facts === undefined ? (
        state.kind === 'connected' && (
          <Card title="No token">
            <p>
              {hello?.capabilities === 'disabled'
                ? 'This gateway does not use tokens: everybody may do everything.'
                : 'This gateway lets you in without a token. A token that you present is enforced.'}
            </p>
          </Card>
        )
      ) : (
        <TokenCard facts={facts} />
      )}
      <TokenForm />
      {hello !== undefined && (
        <Card title="The gateway">
          <dl class="facts">
            <Fact label="Identity">
              <code class="break">{hello.gatewayDid}</code>
              <CopyButton text={hello.gatewayDid} what="the identity" />
            </Fact>
            <Fact label="Tokens">{hello.capabilities}</Fact>
          </dl>
        </Card>
      )}
    </>
  );
}

function Fact({
  label,
  children,
}: {
  readonly label: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const GRANT_COLUMNS: readonly Column<TokenFacts['grants'][number]>[] = [
  { label: 'Action', cell: ({ can }) => <code>{can === '*' ? '* (everything)' : can}</code> },
  {
    label: 'Resource',
    cell: (grant) => <code class="break">{grant.with === '*' ? '* (everywhere)' : grant.with}</code>,
  },
];

function TokenCard({ facts }: { readonly facts: TokenFacts }): JSX.Element {
  const { issuer, audience, expiresAt, notBefore, parents, grants } = facts;
  const hasEnded = expiresAt * 1_000 < Date.now();
  return (
    <Card
      title="Your token"
      aside={<Badge tone={hasEnded ? 'bad' : 'good'}>{hasEnded ? 'ended' : 'in force'}</Badge>}
    >
      <dl class="facts">
        <Fact label="Issuer">
          <code class="break">{issuer}</code>
        </Fact>
        <Fact label="Audience">
          <code class="break">{audience}</code>
        </Fact>
        <Fact label={hasEnded ? 'Ended' : 'Ends'}>
          {timeOf(new Date(expiresAt * 1_000))} <span class="muted">({ago(expiresAt * 1_000)})</span>
        </Fact>
        {notBefore !== undefined && <Fact label="Not before">{timeOf(new Date(notBefore * 1_000))}</Fact>}
        <Fact label="Delegated">
          {parents === 0 ? 'no, it comes from its issuer directly' : `from ${parents} other tokens`}
        </Fact>
      </dl>
      <h3>What it allows</h3>
      <Table
        columns={GRANT_COLUMNS}
        rows={grants}
        rowKey={(grant) => `${grant.can} ${grant.with}`}
        stacking={false}
      />
      <p>
        <button type="button" class="button" onClick={() => presentToken(undefined)}>
          <Icon name="trash" /> Forget this token
        </button>
      </p>
    </Card>
  );
}

function TokenForm(): JSX.Element {
  const [text, setText] = useState('');
  const trimmed = text.trim();
  const preview = trimmed === '' ? undefined : readToken(trimmed);
  const isWrong = trimmed !== '' && preview === undefined;
  return (
    <Card title="Present a token">
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (preview === undefined) return;
          setText('');
          presentToken(trimmed);
        }}
      >
        <Field
          label="Token"
          hint="It stays in this tab and is forgotten when you close it. It goes to this gateway only, never into an address."
        >
          <textarea
            class="mono"
            rows={4}
            value={text}
            autocomplete="off"
            spellcheck={false}
            aria-invalid={isWrong}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </Field>
        {isWrong && (
          <p class="field-error" role="alert">
            This text is not a token: it must have three parts with dots between them.
          </p>
        )}
        <p class="muted">
          Make one with <code>npm exec -- esdb-gater token create --help</code>.
        </p>
        <button type="submit" class="button primary" disabled={preview === undefined}>
          <Icon name="key" /> Use this token
        </button>
      </form>
    </Card>
  );
}
