import { connect } from '@esdb-gater/client';
import * as security from '@esdb-gater/security';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answersOf } from '../../../../tools/pack/answers.ts';
import { KNOWN, VECTORS } from '../../../../tools/pack/vectors.ts';
import { startTestGateway, type TestGateway } from '../support/in-process.ts';
import { startSilentProxy } from '../support/silent-proxy.ts';
import { describeInChromium, startChromium } from './chromium.ts';
import { type PageServer, startPageServer } from './page-server.ts';

const SECRET = 'h\u00e9 \u{1f511}';
const root = security.Identity.generate();

describeInChromium('in Chromium', () => {
  let browser: Browser;
  let pages: PageServer;
  /** Allows the origin of the page. */
  let gateway: TestGateway;
  /** Allows only its own origin. */
  let closed: TestGateway;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    // The policy of the page allows connections to any gateway here; each gateway decides whether it accepts them.
    pages = await startPageServer(['ws://127.0.0.1:*', 'http://127.0.0.1:*']);
    const flags = {
      'security-capabilities': 'required',
      'security-trusted-issuers': root.did,
      'security-hmac-secret': SECRET,
      stores: '{"default":{"engine":"memory"}}',
    };
    gateway = await startTestGateway({ ...flags, 'http-allowed-origins': pages.origin });
    closed = await startTestGateway(flags);
    browser = await startChromium();
    page = await browser.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    await page.goto(pages.origin);
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
    await gateway?.close();
    await closed?.close();
  });

  /** Runs the body of an async function in the page. A text, since Vitest would rewrite the imports of a function. */
  const run = <T>(body: string, values: object = {}): Promise<T> =>
    page.evaluate(`(async (given) => {${body}})(${JSON.stringify(values)})`) as Promise<T>;

  test('the security package answers the vectors as in Node, by noble and without eval', async () => {
    const answers = await run(
      `
      const security = await import('@esdb-gater/security');
      return { engine: security.engine(), answers: (${answersOf})(security, given) };`,
      VECTORS,
    );
    expect(answers).toMatchObject({ engine: 'typescript', answers: KNOWN });
    expect((answers as { answers: unknown }).answers).toEqual(answersOf(security, VECTORS));
  });

  test('a page proves its key, appends, reads, subscribes and receives', async () => {
    const did = await run<string>(`
      const { Identity } = await import('@esdb-gater/security');
      globalThis.identity = Identity.generate();
      return identity.did;`);
    const token = security.createToken({ issuer: root, audience: did, att: [{ with: '*', can: '*' }] });
    const outcome = await run(
      `
      const { connect } = await import('@esdb-gater/client');
      const gater = await connect(given.url, { token: given.token, identity });
      const stream = { storeId: 'default', streamId: 'from-the-browser' };
      const messages = await gater.subscribe({ channel: 'events', topic: 'default.from-the-browser.>' });
      const events = ['\u00e9', '\u{1f600}', '<img src=x onerror=alert(1)>'].map((name) => ({ type: 'named', data: { name } }));
      const appended = await gater.appendEvents({ ...stream, events, expectedVersion: -1 });
      const names = [];
      for await (const event of gater.events(stream)) names.push(event.data.name);
      const received = [];
      for await (const { message } of messages) {
        received.push(message.data.name);
        if (received.length === events.length) break;
      }
      const refused = await gater
        .appendEvents({ ...stream, events, expectedVersion: 7 })
        .then(() => 'accepted', (error) => [error.code, error.details.expected, error.details.actual]);
      const { streams } = await gater.getStreams({ storeId: 'default' });
      await gater.close();
      return { version: appended.version, names, received, refused, streams };`,
      { url: gateway.url, token },
    );
    const names = ['\u00e9', '\u{1f600}', '<img src=x onerror=alert(1)>'];
    expect(outcome).toEqual({
      version: 2,
      names,
      received: names,
      refused: ['wrong_expected_version', 7, 2],
      streams: ['from-the-browser'],
    });
  });

  const tokenFor = (one: TestGateway): string =>
    security.createToken({ issuer: root, audience: one.did, att: [{ with: '*', can: '*' }] });

  test('never again: an unsigned binary form that differs between runtimes (signed here, taken there)', async () => {
    const outcome = await run(
      `
      const [{ connect }, { sign }] = await Promise.all([import('@esdb-gater/client'), import('@esdb-gater/security')]);
      const gater = await connect(given.url, { token: given.token });
      const message = { z: 1e21, a: { '\u00e9': '\u{1f600}', B: [-0, 0.1, null] }, '10': '', '9': '\u20ac' };
      const bound = { channel: 'alerts', topic: 'disk.full' };
      const good = sign(message, { ...bound, secret: given.secret });
      const results = [];
      for (const one of [{ ...good, z: 2 }, good, good]) {
        results.push(await gater.publish({ ...bound, message: one }).then(() => 'ok', (error) => error.details.reason));
      }
      await gater.close();
      return results;`,
      { url: gateway.url, token: tokenFor(gateway), secret: SECRET },
    );
    expect(outcome).toEqual(['mismatch', 'ok', 'replayed']);
  });

  test('the one file for pages proves a key of the browser, appends, consumes and resumes after the network was away', async () => {
    const requested: string[] = [];
    page.on('request', (request) => requested.push(new URL(request.url()).pathname));
    const did = await run<string>(`
      globalThis.standalone = await import('/standalone/esdb-gater-client.js');
      globalThis.key = await standalone.generateIdentity();
      return key.did;`);
    const token = security.createToken({ issuer: root, audience: did, att: [{ with: '*', can: '*' }] });
    const proxy = await startSilentProxy(gateway.port);
    try {
      const before = await run(
        `
        globalThis.gater = await standalone.connect(given.url, { token: given.token, identity: key });
        const stream = { storeId: 'default', streamId: 'standalone' };
        await gater.appendEvents({ ...stream, events: [{ type: 't', data: 1 }] });
        const events = await gater.saveSubscription({ storeId: 'default', name: 'page', type: 'stream', selector: 'standalone' });
        const { value } = await events[Symbol.asyncIterator]().next();
        await value.ack();
        await events.unsubscribe?.();
        globalThis.messages = await gater.subscribe({ channel: 'system', topic: 'standalone.*' });
        return value.event.data;`,
        { url: `ws://127.0.0.1:${proxy.port}/v1/ws`, token },
      );
      expect(before).toBe(1);
      proxy.freeze();
      await page.context().setOffline(true);
      await using other = await connect(gateway.url, { token: tokenFor(gateway) });
      await other.publish({ channel: 'system', topic: 'standalone.lost', message: 'while away' });
      await page.context().setOffline(false);
      const after = await run(`
        for await (const { message } of messages) {
          await gater.close();
          return message;
        }`);
      expect(after).toBe('while away');
    } finally {
      await page.context().setOffline(false);
      await proxy.close();
    }
    // The browser has Ed25519, and the page no OpenTelemetry.
    expect(requested.filter((path) => path.startsWith('/standalone/')).sort()).toEqual([
      '/standalone/esdb-gater-client.js',
      '/standalone/persistent-subscriptions.js',
    ]);
  });

  test.each(['online', 'pageshow'])(
    'a path that died silently is noticed at the event %s, and the subscription goes on [R28] [F33]',
    async (event) => {
      const proxy = await startSilentProxy(gateway.port);
      try {
        const token = tokenFor(gateway);
        await run(
          `
          const { connect } = await import('@esdb-gater/client');
          globalThis.gater = await connect(given.url, { token: given.token });
          globalThis.messages = await gater.subscribe({ channel: 'system', topic: 'paths.*' });`,
          { url: `ws://127.0.0.1:${proxy.port}/v1/ws`, token },
        );
        proxy.freeze();
        await using other = await connect(gateway.url, { token });
        await other.publish({ channel: 'system', topic: 'paths.lost', message: event });
        const received = await run(
          `
          window.dispatchEvent(new Event(given.event));
          for await (const { message } of messages) {
            await gater.close();
            return message;
          }`,
          { event },
        );
        expect(received).toBe(event);
        expect(proxy.connections).toBeGreaterThan(1);
      } finally {
        await proxy.close();
      }
    },
  );

  test('HTTP is open to the page, too, and a stream of server-sent events', async () => {
    const outcome = await run(
      `
      const headers = { authorization: 'Bearer ' + given.token, 'content-type': 'application/json' };
      const stream = await fetch(given.http + '/v1/channels/system/messages?topic=page', { headers });
      const reader = stream.body.pipeThrough(new TextDecoderStream()).getReader();
      const published = await fetch(given.http + '/v1/channels/system/messages', {
        method: 'POST', headers, body: JSON.stringify({ topic: 'page', message: 'hi' }),
      });
      let text = '';
      while (!text.includes('event: message')) text += (await reader.read()).value;
      await reader.cancel();
      const refused = await fetch(given.http + '/v1/stores/default/events');
      return [stream.status, published.status, text.includes('"message":"hi"'), refused.status];`,
      { http: gateway.http, token: tokenFor(gateway) },
    );
    expect(outcome).toEqual([200, 202, true, 401]);
  });

  test('there is no error, warning or violation of the policy of the page', () => {
    // The browser itself reports the expected 401.
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([]);
  });

  test('a gateway that does not list the origin of the page refuses all its requests', async () => {
    const outcome = await run(
      `
      const { connect } = await import('@esdb-gater/client');
      const connected = await connect(given.url, { token: given.token, connectTimeoutMs: 1000 })
        .then(() => 'connected', (error) => error.code);
      const closeCode = await new Promise((resolve) => {
        new WebSocket(given.url).onclose = ({ code }) => resolve(code);
      });
      const fetched = await fetch(given.http + '/v1/channels', { headers: { authorization: 'Bearer ' + given.token } })
        .then(({ status }) => status, (error) => error.name);
      const opaque = await fetch(given.http + '/v1/revocations', { method: 'POST', mode: 'no-cors', body: '{}' })
        .then(({ type }) => type, (error) => error.name);
      return { connected, closeCode, fetched, opaque };`,
      { url: closed.url, http: closed.http, token: tokenFor(closed) },
    );
    expect(outcome).toEqual({
      connected: 'unavailable',
      closeCode: 1006,
      fetched: 'TypeError',
      opaque: 'opaque',
    });
    // The gateway's own page has its origin, and is allowed.
    const own = await browser.newPage();
    await own.goto(closed.http);
    const status = await own.evaluate("fetch('/livez').then(({ status }) => status, ({ name }) => name)");
    expect(status).toBe(200);
    await own.close();
  });
});
