import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';

/** The dashboard in a page of a browser, watched. */
export interface Dashboard {
  readonly page: Page;
  /** What the console and the policy of the page complain about. */
  readonly complaints: readonly string[];
  /** Every URL that was asked for. */
  readonly requested: readonly string[];
  /** Goes to a view by its hash, and waits for its heading. */
  go(hash: string): Promise<void>;
}

export interface DashboardOptions {
  readonly scheme?: 'light' | 'dark';
  readonly size?: { readonly width: number; readonly height: number };
}

export const DESKTOP = { width: 1280, height: 840 };
export const PHONE = { width: 360, height: 740 };

/** Opens the dashboard of the gateway at `http`. */
export async function openDashboard(
  browser: Browser,
  http: string,
  { scheme = 'light', size = DESKTOP }: DashboardOptions = {},
): Promise<Dashboard> {
  const built = join(import.meta.dirname, '..', '..', '..', 'public', 'index.html');
  if (!existsSync(built)) throw new Error('the dashboard is not built; run `npm run build`');
  const context = await browser.newContext({ viewport: size, colorScheme: scheme });
  const page = await context.newPage();
  const complaints: string[] = [];
  const requested: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => requested.push(request.url()));
  await page.goto(http);
  return {
    page,
    complaints,
    requested,
    async go(hash) {
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
      await page.locator('main h1, main .empty').first().waitFor();
    },
  };
}

/** Waits until the page shows that it is connected. */
export async function connected(page: Page): Promise<void> {
  await page.locator('[data-connection="connected"]').waitFor();
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
  readonly passes: readonly unknown[];
}

/** Runs axe on the page. Expects no violation of any of its rules, best practices included. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  await page.evaluate(AXE);
  const { violations, passes } = (await page.evaluate('axe.run(document)')) as AxeResult;
  const found = violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
  expect(found, what).toEqual([]);
  expect(passes.length, what).toBeGreaterThan(15);
}
