import type { JSX } from 'preact';
import { health } from '../data/monitor.ts';
import { href, route } from '../router.ts';
import { Icon, type IconName } from './icon.tsx';

interface Entry {
  readonly label: string;
  readonly icon: IconName;
  readonly section: string;
  /** Sections that belong to this entry. */
  readonly sections: readonly string[];
}

const ENTRIES: readonly Entry[] = [
  { label: 'Overview', icon: 'overview', section: 'overview', sections: ['overview'] },
  { label: 'Streams', icon: 'streams', section: 'streams', sections: ['streams', 'append'] },
  { label: 'Events', icon: 'search', section: 'events', sections: ['events'] },
  { label: 'Channels', icon: 'channels', section: 'channels', sections: ['channels'] },
  {
    label: 'Subscriptions',

    icon: 'subscriptions',
    section: 'subscriptions',
    sections: ['subscriptions'],
  },
];

const WITH_STORE: ReadonlySet<string> = new Set(['streams', 'events', 'append', 'subscriptions']);

/** The main navigation: beside the content on wide screens, at the bottom of narrow ones. It keeps the store. */
export function Navigation({ section }: { readonly section: string }): JSX.Element {
  const { parts } = route.value;
  const current = WITH_STORE.has(parts[0] ?? '') ? parts[1] : undefined;
  const storeId = current ?? Object.keys(health.value?.stores ?? {})[0];
  return (
    <nav class="nav" aria-label="Main">
      <ul>
        {ENTRIES.map((entry) => {
          const to = [
            entry.section,
            ...(WITH_STORE.has(entry.section) && storeId !== undefined ? [storeId] : []),
          ];
          return (
            <li key={entry.label}>
              <a
                href={entry.section === 'overview' ? '#/' : href(to)}
                aria-current={entry.sections.includes(section) ? 'page' : undefined}
              >
                <Icon name={entry.icon} size={20} />
                <span>{entry.label}</span>
              </a>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
