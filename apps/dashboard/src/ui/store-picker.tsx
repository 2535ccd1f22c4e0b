import type { JSX } from 'preact';
import { health } from '../data/monitor.ts';
import { go, href } from '../router.ts';

/** Chooses the store of a view. It shows itself only where there are several. */
export function StorePicker({
  section,
  storeId,
}: {
  readonly section: string;
  readonly storeId: string;
}): JSX.Element | null {
  const stores = Object.keys(health.value?.stores ?? {});
  const all = stores.includes(storeId) ? stores : [storeId, ...stores];
  if (all.length < 2) return null;
  return (
    <label class="inline-field">
      <span>Store</span>
      <select value={storeId} onChange={(event) => go(href([section, event.currentTarget.value]))}>
        {all.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </label>
  );
}
