import { connect, type RemoteGater } from '@esdb-gater/client';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../../support/in-process.ts';
import { describeInChromium, startChromium } from '../chromium.ts';
import { connected, openDashboard } from './open-dashboard.ts';

const STREAMS = 10_000;
const MESSAGES = 5_000;
const PER_SECOND = 1_000;

describeInChromium('the dashboard of a busy gateway', () => {
  let browser: Browser;
  let gateway: TestGateway;
  let client: RemoteGater;

  beforeAll(async () => {
    gateway = await startTestGateway({ stores: '{"default":{"engine":"memory","feed":false}}' });
    client = await connect(gateway.url);
    browser = await startChromium();
  });
  afterAll(async () => {
    await client?.close();
    await browser?.close();
    await gateway?.close();
  });

  test('lists 10 000 streams with a few rows of the page, to the last one', async () => {
    const name = (n: number): string => `stream-${String(n).padStart(5, '0')}`;
    for (let n = 0; n < STREAMS; n += 500) {
      const appends = Array.from({ length: 500 }, (_, i) => ({
        streamId: name(n + i),
        events: [{ type: 't', data: n + i }],
      }));
      await client.appendToStreams({ storeId: 'default', appends });
    }
    const { page, go } = await openDashboard(browser, gateway.http);
    await connected(page);
    await go('#/streams/default');
    await page.getByRole('link', { name: name(0) }).waitFor();
    const list = page.getByRole('group', { name: 'Streams of default' });
    // Scrolling to the end loads the next page, until there is none.
    await expect
      .poll(
        async () => {
          await page.evaluate("document.querySelector('.virtual').scrollTo(0, 1e9)");
          return page.getByText('10,000 streams', { exact: true }).count();
        },
        { timeout: 20_000, interval: 50 },
      )
      .toBe(1);
    await page.getByRole('link', { name: name(STREAMS - 1) }).waitFor();
    expect(await list.locator('li').count()).toBeLessThan(60);
    await page.getByPlaceholder('Name begins with…').fill('stream-0999');
    await page.getByText('10 streams', { exact: true }).waitFor();
    await page.context().close();
  });

  test('tails 1 000 messages a second, all of them counted, and stays usable', async () => {
    const { page, go, complaints } = await openDashboard(browser, gateway.http);
    await connected(page);
    await go('#/channels/metrics');
    const subscribers = async (): Promise<number | undefined> =>
      (await client.channelInfo({})).channels.find(({ name: one }) => one === 'metrics')?.subscribers;
    await expect.poll(subscribers).toBe(1);
    // How long the page is away from its events at most, while the messages come.
    await page.evaluate(`
      window.longest = 0; window.last = performance.now();
      setInterval(() => { const now = performance.now(); window.longest = Math.max(window.longest, now - window.last); window.last = now; }, 10);
    `);
    const begun = performance.now();
    for (let sent = 0; sent < MESSAGES; ) {
      const due = Math.min(MESSAGES, Math.floor(((performance.now() - begun) * PER_SECOND) / 1_000));
      const batch = Array.from({ length: due - sent }, (_, i) =>
        client.publish({
          channel: 'metrics',
          topic: `node.${i % 7}`,
          message: { sent: sent + i, text: 'x'.repeat(100) },
        }),
      );
      sent = due;
      await Promise.all([...batch, new Promise((resolve) => setTimeout(resolve, 10))]);
    }
    const seconds = (performance.now() - begun) / 1_000;
    await page.getByText('5,000 received').waitFor();
    const longest = (await page.evaluate('window.longest')) as number;
    expect(await page.locator('.virtual li').count()).toBeLessThan(60);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('paused', { exact: true }).waitFor();
    console.log(
      `${Math.round(MESSAGES / seconds)} messages/s for ${seconds.toFixed(1)} s: the page was away for ${Math.round(longest)} ms at most`,
    );
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
