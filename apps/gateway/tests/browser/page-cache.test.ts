import { connect } from '@esdb-gater/client';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/in-process.ts';
import { describeInChromium, startChromium } from './chromium.ts';
import { type PageServer, startPageServer } from './page-server.ts';

describeInChromium('the back/forward cache of Chromium', () => {
  let browser: Browser;
  let pages: PageServer;
  let gateway: TestGateway;
  let page: Page;

  beforeAll(async () => {
    pages = await startPageServer(['ws://127.0.0.1:*']);
    gateway = await startTestGateway({
      stores: '{"default":{"engine":"memory"}}',
      'http-allowed-origins': pages.origin,
    });
    browser = await startChromium({ keepsPages: true });
    page = await browser.newPage();
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
    await gateway?.close();
  });

  /** What the page has noted. While the browser goes to another page, there is nothing to ask. */
  const poll = (name: string) =>
    expect.poll(() => page.evaluate(`globalThis.${name}`).catch(() => undefined), { timeout: 20_000 });

  test('a page that comes out of it connects again, and its subscription and its follow go on without a gap', async () => {
    await page.goto(pages.origin);
    await page.evaluate(`(async () => {
      globalThis.shown = [];
      addEventListener('pageshow', ({ persisted }) => shown.push(persisted));
      const { connect } = await import('@esdb-gater/client');
      const gater = await connect(${JSON.stringify(gateway.url)});
      const messages = await gater.subscribe({ channel: 'system', topic: 'pages.*' });
      globalThis.received = [];
      globalThis.followed = [];
      (async () => { for await (const { message } of messages) received.push(message); })();
      (async () => { for await (const { data } of gater.follow({ storeId: 'default', streamId: 's' })) followed.push(data); })();
    })()`);
    await using other = await connect(gateway.url);
    const write = async (text: string): Promise<void> => {
      await other.publish({ channel: 'system', topic: 'pages.news', message: text });
      await other.appendEvents({ storeId: 'default', streamId: 's', events: [{ type: 't', data: text }] });
    };
    await write('before');
    await poll('received').toEqual(['before']);
    await poll('followed').toEqual(['before']);

    await page.goto(`${gateway.http}/livez`);
    await write('while away');
    await page.evaluate('history.back()');

    await poll('shown').toEqual([true]);
    await poll('received').toEqual(['before', 'while away']);
    await poll('followed').toEqual(['before', 'while away']);
    await write('after');
    await poll('received').toEqual(['before', 'while away', 'after']);
    await poll('followed').toEqual(['before', 'while away', 'after']);
  });
});
