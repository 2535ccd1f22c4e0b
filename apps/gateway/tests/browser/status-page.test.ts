import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/in-process.ts';
import { type RawClient, rawConnect } from '../support/raw-client.ts';
import { describeInChromium, startChromium } from './chromium.ts';

const HOSTILE = '<img src=x onerror="document.title=\'broken into\'">';

describeInChromium('the page of the gateway in Chromium', () => {
  let browser: Browser;
  let gateway: TestGateway;
  let worker: RawClient;
  let page: Page;
  const requested: string[] = [];
  let dialogs = 0;

  beforeAll(async () => {
    gateway = await startTestGateway({ stores: '{"default":{"engine":"memory"}}' });
    worker = await rawConnect(gateway.url);
    const events = [{ type: HOSTILE, data: HOSTILE, tags: [HOSTILE] }];
    expect(
      (await worker.call('appendEvents', { storeId: 'default', streamId: HOSTILE, events })).error,
    ).toBeUndefined();
    await worker.call('registerWorker', { storeId: 'mine', workerId: HOSTILE });
    await worker.call('subscribe', { channel: 'events', topic: HOSTILE.replaceAll(' ', '\u00a0') });
    browser = await startChromium();
    page = await browser.newPage();
    page.on('request', (request) => requested.push(request.url()));
    page.on('dialog', (dialog) => {
      dialogs++;
      void dialog.dismiss();
    });
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.close();
  });

  test('shows the state of the gateway in one request, without a script', async () => {
    const response = await page.goto(gateway.http);
    expect(response?.status()).toBe(200);
    const headers = response?.headers() ?? {};
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(await page.title()).toBe('esdb-gater');
    expect(await page.textContent('h1')).toBe('esdb-gater');
    expect(await page.locator('h1').isVisible()).toBe(true);
    expect(await page.locator('script').count()).toBe(0);
    const image = await page.screenshot();
    expect(image.length).toBeGreaterThan(2_000);
    expect(requested.filter((url) => !url.endsWith('/favicon.ico'))).toEqual([`${gateway.http}/`]);
  });

  test('names that are markup stay text wherever a browser looks [T22]', async () => {
    const encoded = encodeURIComponent(HOSTILE);
    for (const path of [
      '/',
      `/?${encoded}`,
      `/${encoded}`,
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
  });

  test('cannot be framed, and its policy blocks all scripts, including injected ones [T22]', async () => {
    await page.goto(gateway.http);
    await page.evaluate(
      `document.body.insertAdjacentHTML('beforeend', ${JSON.stringify(HOSTILE)}); new Promise((done) => requestAnimationFrame(() => setTimeout(done)))`,
    );
    expect(await page.title()).toBe('esdb-gater');
    const ran = await page.evaluate(
      "(() => { const script = document.createElement('script'); script.textContent = 'window.ran = true'; document.head.append(script); return window.ran; })()",
    );
    expect(ran).toBeUndefined();
    const frames = await browser.newPage();
    await frames.setContent(`<iframe src="${gateway.http}"></iframe>`);
    await frames.waitForLoadState('load');
    const framed = frames.frames()[1];
    expect(framed?.url()).toMatch(/^chrome-error:/);
    expect(await framed?.locator('h1').allTextContents()).not.toContain('esdb-gater');
    await frames.close();
  });
});
