import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestGater, specification } from '@esdb-gater/app/testing';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeInChromium, startChromium } from '../../apps/gateway/tests/browser/chromium.ts';
import { type AuctionEvent, lots, startAuction } from './auction.ts';

const later = 4_000_000_000_000;
const open = (lot: string, title: string, endsAt = later) =>
  ({ kind: 'open', lot, title, cents: 1_000, endsAt }) as const;

test('the rules of a lot', async () => {
  await using gater = createTestGater<AuctionEvent>();
  const { given } = specification(lots(gater));
  const opened = {
    type: 'lot_opened',
    data: { lot: '7', title: 'A cello', cents: 1_000, endsAt: later },
  } as const;
  const bid = (cents: number) => ({ kind: 'bid', lot: '7', bidder: 'Ada', cents }) as const;
  const placed = { type: 'bid_placed', data: { lot: '7', bidder: 'Ada', cents: 1_100 } } as const;
  const closed = { type: 'lot_closed', data: { lot: '7' } } as const;
  given().when(open('7', 'A cello')).then(opened);
  given(opened)
    .when(open('7', 'A cello'))
    .thenThrows(/was opened before/);
  given(opened).when(bid(1_100)).then(placed);
  given(opened)
    .when(bid(Number.NaN))
    .thenThrows(/must be higher/);
  given([opened, placed])
    .when(bid(1_100))
    .thenThrows(/must be higher than 11/);
  given([opened, placed]).when({ kind: 'close', lot: '7' }).then(closed);
  given([opened, closed])
    .when(bid(2_000))
    .thenThrows(/is closed/);
  given([opened, closed]).when({ kind: 'close', lot: '7' }).thenNothing();
});

describeInChromium('the page', () => {
  let folder: string;
  let auction: Awaited<ReturnType<typeof startAuction>>;
  let browser: Browser;
  const complaints: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'esdb-gater-auction-'));
    auction = await startAuction({ port: 0, file: join(folder, 'auction.db') });
    browser = await startChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await auction?.close();
    await rm(folder, { recursive: true });
  });

  async function openPage(): Promise<Page> {
    const page = await browser.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(auction.url);
    return page;
  }

  /** Waits until the card with this title has the text. */
  const shows = (page: Page, title: string, text: string): Promise<void> =>
    page.locator('article', { hasText: title }).filter({ hasText: text }).waitFor();

  test('shows to everybody what one bids, also after the server has started again', async () => {
    const [ada, bob] = await Promise.all([openPage(), openPage()]);
    await auction.handle(open('1', '<img src=x onerror=alert(1)>'));
    await shows(bob, '<img', '€10.00');
    await ada.locator('article button').click();
    await shows(bob, '<img', '€11.00');
    await shows(bob, '<img', 'held by Ada');

    const { port } = new URL(auction.url);
    await auction.close();
    auction = await startAuction({ port: Number(port), file: join(folder, 'auction.db') });
    await auction.handle({ kind: 'bid', lot: '1', bidder: 'Grace', cents: 2_000 });
    await shows(bob, '<img', 'held by Grace');
    // Each event once: a start, and two bids.
    const points = await bob.locator('polyline').getAttribute('points');
    expect(points?.split(' ')).toHaveLength(3);
    expect(complaints).toEqual([]);
  });

  test('shows that a lot has ended, and says why a bid is refused', async () => {
    const page = await openPage();
    await auction.handle(open('2', 'A teapot', Date.now()));
    await shows(page, 'A teapot', 'sold to nobody');
    const refused = await fetch(`${auction.url}/bids`, {
      method: 'POST',
      body: '{"lot":"2","bidder":"Ada","cents":9000}',
    });
    expect([refused.status, await refused.text()]).toEqual([409, 'this lot is closed']);
  });
});
