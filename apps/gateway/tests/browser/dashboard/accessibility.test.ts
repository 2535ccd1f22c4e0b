import { connect } from '@esdb-gater/client';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../../support/in-process.ts';
import { describeInChromium, startChromium } from '../chromium.ts';
import { connected, DESKTOP, expectAccessible, openDashboard, PHONE } from './open-dashboard.ts';

const storeId = 'default';

/** Views, with what is pressed in them before they are looked at. */
const VIEWS: readonly (readonly [what: string, hash: string, press?: RegExp])[] = [
  ['overview', '#/'],
  ['streams', '#/streams/default'],
  ['no streams', '#/streams/default?prefix=nothing'],
  ['an open event', '#/events/default', /paid/],
  ['a stream that does not exist', '#/events/default?stream=none'],
  ['related events', '#/events/default?related=c-1'],
  ['followed events', '#/events/default', /Follow live/],
  ['append', '#/append/default'],
  ['channels', '#/channels'],
  ['a message of a tail', '#/channels/system?from=earliest', /deploys\.done/],
  ['a channel with signatures', '#/channels/alerts'],
  ['subscriptions', '#/subscriptions/default'],
  ['parked events', '#/subscriptions/default/billing', /paid of/],
  ['a question before a removal', '#/subscriptions/default/billing', /Remove…/],
  ['access', '#/access'],
  ['nothing', '#/nowhere'],
];

describeInChromium('axe finds nothing to complain about', () => {
  let browser: Browser;
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startTestGateway({ stores: '{"default":{"engine":"memory"}}' });
    await using client = await connect(gateway.url);
    const events = [
      { type: 'paid', data: { a: [1, true, null, 'text'] }, tags: ['x'], metadata: { correlationId: 'c-1' } },
    ];
    for (let n = 0; n < 30; n++) await client.appendEvents({ storeId, streamId: `s-${n}`, events });
    const consumer = await client.saveSubscription({
      storeId,
      name: 'billing',
      type: 'event_type',
      selector: 'paid',
    });
    for await (const { nack } of consumer) {
      await nack({ action: 'park', reason: 'no reason' });
      break;
    }
    await consumer.unsubscribe();
    await client.publish({ channel: 'system', topic: 'deploys.done', message: { a: 1 } });
    browser = await startChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.close();
  });

  test.each([
    ['in light', { scheme: 'light', size: DESKTOP }],
    ['in dark', { scheme: 'dark', size: DESKTOP }],
    ['on a phone', { scheme: 'light', size: PHONE }],
    ['on a phone in the dark', { scheme: 'dark', size: PHONE }],
  ] as const)(
    'in any view %s',
    async (_where, options) => {
      const { page, go, complaints } = await openDashboard(browser, gateway.http, options);
      await connected(page);
      for (const [what, hash, press] of VIEWS) {
        await go(hash);
        await page.locator('main .loading').first().waitFor({ state: 'detached' });
        if (press !== undefined) await page.getByRole('button', { name: press }).first().click();
        await expectAccessible(page, what);
        const wide = await page.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        expect(wide, `${what} scrolls sideways`).toBe(0);
      }
      expect(complaints).toEqual([]);
      await page.context().close();
    },
    120_000,
  );

  test('the whole page is used by keyboard, and the focus follows', async () => {
    const { page } = await openDashboard(browser, gateway.http);
    await connected(page);
    const focused = (): Promise<string> =>
      page.evaluate(
        '(document.activeElement.getAttribute("aria-label") ?? document.activeElement.innerText ?? "").trim()',
      ) as Promise<string>;
    const tabTo = async (name: RegExp): Promise<void> => {
      for (let n = 0; n < 60; n++) {
        await page.keyboard.press('Tab');
        if (name.test(await focused())) return;
      }
      throw new Error(`nothing called ${name} is reached by Tab`);
    };
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    await page.reload();
    await connected(page);
    await tabTo(/^Streams$/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Streams', level: 1 }).waitFor();
    // A reader of the screen hears where it has come.
    await expect.poll(focused).toBe('Streams');
    await page.getByText('30 streams').waitFor();
    await tabTo(/^Streams of default$/);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await expect.poll(focused).toBe('s-1');
    await page.keyboard.press('End');
    await expect.poll(focused).toBe('s-9');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 's-9' }).waitFor();
    await page.locator('.event-row').waitFor();
    await tabTo(/paid/);
    await page.keyboard.press('Enter');
    await page.getByRole('group', { name: /^Data of event/ }).waitFor();
    await tabTo(/^Data of event/);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('.event-json details').first().getAttribute('open')).toBeNull();
    await page.context().close();
  });
});
