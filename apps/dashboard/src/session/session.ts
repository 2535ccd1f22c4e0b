import { connect, GaterError, type RemoteGater } from '@esdb-gater/client';
import { computed, signal } from '@preact/signals';
import { announce } from '../announce.ts';
import { readToken, type TokenFacts } from './token.ts';

/** How the page stands with its gateway. */
export type SessionState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected' }
  /** The client tries again by itself. */
  | { readonly kind: 'lost'; readonly since: number; readonly reason?: string }
  /** The gateway wants a token, or refused or ended the one that it had. */
  | { readonly kind: 'token'; readonly error?: unknown };

const TOKEN_KEY = 'esdb-gater.token';
const RETRY_MS = 2_000;

const stateSignal = signal<SessionState>({ kind: 'connecting' });
const gaterSignal = signal<RemoteGater | undefined>();
const epochSignal = signal(0);
const tokenSignal = signal<string | undefined>(sessionStorage.getItem(TOKEN_KEY) ?? undefined);

/** How the page stands with its gateway. */
export const sessionState = computed(() => stateSignal.value);
/** The client, once it has connected; it stays the same while it reconnects. */
export const gater = computed(() => gaterSignal.value);
/** Grows with each connection: what was loaded before may be stale. */
export const epoch = computed(() => epochSignal.value);
/** What the token in use says; undefined without one. */
export const tokenFacts = computed<TokenFacts | undefined>(() =>
  tokenSignal.value === undefined ? undefined : readToken(tokenSignal.value),
);

let current = 0;

/** Connects to the gateway that served this page. */
export function start(): void {
  void run(++current);
}

/** Uses another token, or none, from now on. The token stays in the session storage of this tab only. */
export function presentToken(token: string | undefined): void {
  if (token === undefined) sessionStorage.removeItem(TOKEN_KEY);
  else sessionStorage.setItem(TOKEN_KEY, token);
  tokenSignal.value = token;
  void gaterSignal.value?.close();
  gaterSignal.value = undefined;
  stateSignal.value = { kind: 'connecting' };
  start();
}

async function run(turn: number): Promise<void> {
  while (turn === current) {
    try {
      const token = tokenSignal.value;
      const client = await connect(gatewayUrl(), token === undefined ? {} : { token });
      if (turn !== current) return void client.close();
      if (token === undefined && client.hello.capabilities === 'required') {
        void client.close();
        stateSignal.value = { kind: 'token' };
        return;
      }
      adopt(client, turn);
      return;
    } catch (error) {
      if (turn !== current) return;
      if (GaterError.is(error) && error.code === 'unauthorized') {
        stateSignal.value = { kind: 'token', error };
        return;
      }
      lost(GaterError.from(error).message);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

function adopt(client: RemoteGater, turn: number): void {
  const connected = (): void => {
    if (turn !== current) return;
    if (stateSignal.value.kind === 'lost') announce('Connected again.');
    stateSignal.value = { kind: 'connected' };
    epochSignal.value += 1;
  };
  client.connection.listen({
    connected,
    disconnected: () => turn === current && lost(),
    failed(error) {
      if (turn !== current) return;
      gaterSignal.value = undefined;
      if (GaterError.is(error) && error.code === 'unauthorized') stateSignal.value = { kind: 'token', error };
      else {
        lost(GaterError.from(error).message);
        start();
      }
    },
  });
  gaterSignal.value = client;
  if (client.connection.connected) connected();
  else lost();
}

function lost(reason?: string): void {
  if (stateSignal.value.kind === 'lost') return;
  stateSignal.value = { kind: 'lost', since: Date.now(), ...(reason === undefined ? {} : { reason }) };
  announce('The connection to the gateway is lost. Trying again.');
}

function gatewayUrl(): string {
  const url = new URL('v1/ws', document.baseURI);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  return url.href;
}
