import { connect } from '@esdb-gater/client';
import { createToken, Identity } from '@esdb-gater/security';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../../support/in-process.ts';
import { rawConnect } from '../../support/raw-client.ts';
import { describeInChromium, startChromium } from '../chromium.ts';
import { connected, type Dashboard, openDashboard } from './open-dashboard.ts';

const HOSTILE = '<img src=x onerror="document.title=\'broken into\'">';
/** A topic has neither white space nor `>`. */
const HOSTILE_TOPIC = '<img/src=x/onerror=alert(1)//';
const storeId = 'default';

describeInChromium('names that are markup', () => {
  let browser: Browser;
  let gateway: TestGateway;
  let dashboard: Dashboard;

  beforeAll(async () => {
    gateway = await startTestGateway({ stores: '{"default":{"engine":"memory"}}' });
    await using client = await connect(gateway.url);
    const worker = await rawConnect(gateway.url);
    await worker.call('registerWorker', { storeId: 'mine', workerId: HOSTILE });
    await client.appendEvents({
      storeId,
      streamId: HOSTILE,
      events: [
        {
          type: HOSTILE,
          data: { [HOSTILE]: [HOSTILE, { [HOSTILE]: HOSTILE }] },
          tags: [HOSTILE],
          metadata: { correlationId: HOSTILE, causationId: HOSTILE, [HOSTILE]: HOSTILE },
        },
      ],
    });
    const consumer = await client.saveSubscription({
      storeId,
      name: HOSTILE,
      type: 'event_payload',
      selector: { [HOSTILE]: [HOSTILE, { [HOSTILE]: HOSTILE }] },
    });
    for await (const { nack } of consumer) {
      await nack({ action: 'park', reason: HOSTILE });
      break;
    }
    await consumer.unsubscribe();
    await client.publish({ channel: 'system', topic: HOSTILE_TOPIC, message: { [HOSTILE]: HOSTILE } });
    browser = await startChromium();
    dashboard = await openDashboard(browser, gateway.http);
    await connected(dashboard.page);
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.close();
  });

  const encoded = encodeURIComponent(HOSTILE);
  const query = new URLSearchParams({ v: HOSTILE }).toString().slice(2);
  const VIEWS: Readonly<Record<string, string>> = {
    'the overview': '#/',
    'the list of streams': '#/streams/default',
    'a prefix without a stream': `#/streams/default?prefix=${query}${query}`,
    'an unknown store': `#/streams/${encoded}`,
    'the events of a store': '#/events/default',
    'the events of a stream': `#/events/default?stream=${query}`,
    'an unknown stream': `#/events/default?stream=${query}x`,
    'a type': `#/events/default?type=${query}`,
    'a tag': `#/events/default?tag=${query}`,
    'a correlation': `#/events/default?related=${query}`,
    'the form to append': `#/append/default?stream=${query}`,
    subscriptions: '#/subscriptions/default',
    'a subscription with parked events': `#/subscriptions/default/${encoded}`,
    'an unknown channel': `#/channels/${encoded}`,
    'a tail': `#/channels/system?from=earliest&topic=${encodeURIComponent(HOSTILE_TOPIC)}`,
    'a refused topic': `#/channels/system?topic=${query}`,
    'an unknown page': `#/${encoded}/${encoded}`,
  };

  test.each(Object.entries(VIEWS))('stay text in %s [T22]', async (what, hash) => {
    const { page, go } = dashboard;
    await go(hash);
    const opens = page.locator('main [aria-expanded="false"], main .message-row, main summary');
    await page.locator('main .loading').first().waitFor({ state: 'detached' });
    if (SHOWS_IT.has(what)) await page.getByText(/<img/).first().waitFor({ state: 'attached' });
    for (let left = 10; left > 0 && (await opens.count()) > 0; left--) {
      const closed = page
        .locator('main [aria-expanded="false"], main .message-row[aria-pressed="false"]')
        .first();
      if ((await closed.count()) === 0) break;
      await closed.click();
    }
    for (const copy of await page.getByRole('button', { name: /^Copy/ }).all()) await copy.click();
    expect(await page.title(), what).not.toBe('broken into');
    expect(await page.locator('img').count(), what).toBe(0);
    expect(await page.evaluate('document.querySelectorAll("[onerror]").length'), what).toBe(0);
  });

  test('stay text in a token [T22]', async () => {
    const { page, go } = dashboard;
    const issuer = Identity.generate();
    const audience = Identity.generate().did;
    const [head = '', , tail = ''] = createToken({ issuer, audience, att: [{ with: '*', can: '*' }] }).split(
      '.',
    );
    const claims = {
      iss: HOSTILE,
      aud: HOSTILE,
      exp: 4_000_000_000,
      iat: 0,
      nnc: HOSTILE,
      att: [{ with: HOSTILE, can: HOSTILE }],
      prf: [],
    };
    await go('#/access');
    await page.getByLabel('Token', { exact: true }).fill(`${head}.${btoa(JSON.stringify(claims))}.${tail}`);
    await page.getByRole('button', { name: 'Use this token' }).click();
    await page.getByRole('region', { name: 'Your token' }).getByText(HOSTILE).first().waitFor();
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).not.toBe('broken into');
  });

  test('ran nothing, and asked for nothing [T22]', () => {
    expect(dashboard.complaints).toEqual([]);
    expect(dashboard.requested.filter((url) => new URL(url).pathname === '/x')).toEqual([]);
    expect(new Set(dashboard.requested.map((url) => new URL(url).origin))).toEqual(new Set([gateway.http]));
  });
});

const SHOWS_IT: ReadonlySet<string> = new Set([
  'the overview',
  'the list of streams',
  'an unknown store',
  'the events of a store',
  'the events of a stream',
  'a type',
  'a tag',
  'a correlation',
  'subscriptions',
  'a subscription with parked events',
  'a tail',
]);

describeInChromium('answers that a browser shows as they are', () => {
  test('contain no markup from names [T22]', async () => {
    const gateway = await startTestGateway({ stores: '{"default":{"engine":"memory"}}' });
    const browser = await startChromium();
    try {
      const worker = await rawConnect(gateway.url);
      const events = [{ type: HOSTILE, data: HOSTILE, tags: [HOSTILE] }];
      await worker.call('appendEvents', { storeId, streamId: HOSTILE, events });
      await worker.call('registerWorker', { storeId: 'mine', workerId: HOSTILE });
      await worker.call('subscribe', { channel: 'events', topic: HOSTILE.replaceAll(' ', '\u00a0') });
      const page = await browser.newPage();
      const requested: string[] = [];
      let dialogs = 0;
      page.on('request', (request) => requested.push(request.url()));
      page.on('dialog', (dialog) => {
        dialogs++;
        void dialog.dismiss();
      });
      const encoded = encodeURIComponent(HOSTILE);
      for (const path of [
        '/',
        `/?${encoded}`,
        `/${encoded}`,
        `/assets/${encoded}`,
        '/health',
        '/readyz',
        '/metrics',
        '/v1/channels',
        '/v1/stores/default/streams',
        `/v1/stores/default/streams/${encoded}/events`,
        `/v1/stores/${encoded}/streams`,
        `/v1/stores/default/streams/${encoded}x`,
        `/v1/stores/default/streams?${encoded}=1`,
      ]) {
        await page.goto(gateway.http + path);
        expect(await page.title(), path).not.toBe('broken into');
        expect(await page.locator('img').count(), path).toBe(0);
      }
      expect(dialogs).toBe(0);
      expect(requested.filter((url) => !url.startsWith(gateway.http))).toEqual([]);
      expect(requested.filter((url) => new URL(url).pathname === '/x')).toEqual([]);
    } finally {
      await browser.close();
      await gateway.close();
    }
  });
});
