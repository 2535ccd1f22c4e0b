import type { JSX } from 'preact';
import { gater, sessionState, tokenFacts } from '../session/session.ts';
import { shorten } from './format.ts';
import { Icon, type IconName, Mark } from './icon.tsx';
import { THEMES, type Theme, theme } from './theme.ts';

const STATES = {
  connecting: ['info', 'Connecting'],
  connected: ['good', 'Connected'],
  lost: ['bad', 'Reconnecting'],
  token: ['warn', 'Token needed'],
} as const;

const THEME_ICONS: Readonly<Record<Theme, IconName>> = { auto: 'auto', light: 'sun', dark: 'moon' };

/** The head of the page: what it is, the state of the connection, the token, the theme. */
export function Header(): JSX.Element {
  const [tone, text] = STATES[sessionState.value.kind];
  const hello =
    gater.value === undefined || sessionState.value.kind !== 'connected' ? undefined : gater.value.hello;
  const next = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? 'auto';
  return (
    <header class="header">
      <a class="brand" href="#/" aria-label="esdb-gater, overview">
        <Mark />
        <span class="brand-name">esdb-gater</span>
      </a>
      {hello !== undefined && (
        <span class="node" title={`node ${hello.nodeId}, version ${hello.version}`}>
          node <code>{shorten(hello.nodeId, 12)}</code> · v{hello.version}
        </span>
      )}
      <span class="spacer" />
      <span class={`status pill ${tone}`} data-connection={sessionState.value.kind}>
        <span class="dot" aria-hidden="true" />
        {text}
      </span>
      <a
        class="button ghost"
        href="#/access"
        aria-label={tokenFacts.value === undefined ? 'No token: access' : 'Token: access'}
      >
        <Icon name="key" />
        <span class="wide-only">{tokenFacts.value === undefined ? 'No token' : 'Token'}</span>
      </a>
      <button
        type="button"
        class="button ghost icon-only"
        aria-label={`Theme: ${theme.value}. Switch to ${next}`}
        title={`Theme: ${theme.value}`}
        onClick={() => {
          theme.value = next;
        }}
      >
        <Icon name={THEME_ICONS[theme.value]} />
      </button>
    </header>
  );
}
