import type { JSX } from 'preact';

const PATHS = {
  overview: 'M3 12h4l3-8 4 16 3-8h4',
  streams: 'M4 6h16M4 12h10M4 18h13',
  channels:
    'M4.9 19.1a10 10 0 0 1 0-14.2M7.8 16.2a6 6 0 0 1 0-8.4M16.2 7.8a6 6 0 0 1 0 8.4M19.1 4.9a10 10 0 0 1 0 14.2M12 11v2M11 12h2',
  subscriptions: 'M4 7h11M4 12h7M4 17h7M15 14l3 3 4-5',
  key: 'M7.5 11a5 5 0 1 0 0 10 5 5 0 0 0 0-10ZM11 12.5 20.5 3M15.5 8l3 3',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 2v2M12 20v2M4 12H2M22 12h-2M5 5l1.5 1.5M17.5 17.5 19 19M5 19l1.5-1.5M17.5 6.5 19 5',
  moon: 'M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5Z',
  auto: 'M12 3a9 9 0 1 0 0 18ZM12 3a9 9 0 0 1 0 18',
  play: 'M7 5l12 7-12 7Z',
  pause: 'M8 5v14M16 5v14',
  plus: 'M12 5v14M5 12h14',
  chevron: 'M9 6l6 6-6 6',
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM20 20l-4-4',
  check: 'M5 12l5 5 9-10',
  warning: 'M12 4 2.5 20h19ZM12 10v4M12 17h.01',
  copy: 'M9 9h11v11H9ZM5 15H4V4h11v1',
  refresh: 'M20 11a8 8 0 1 0-2 6M20 5v6h-6',
  trash: 'M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13',
  send: 'M4 12 20 4l-6 16-3-7Z',
  empty: 'M4 13l3-8h10l3 8v6H4ZM4 13h5l1 3h4l1-3h5',
} as const;

export type IconName = keyof typeof PATHS;

/** A decorative icon: what it means stands beside it, or in the label of its button. */
export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }): JSX.Element {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark of the product. */
export function Mark(): JSX.Element {
  return (
    <svg class="mark" width="28" height="28" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M8 10h10M8 16h16M8 22h7" />
      <circle cx="23" cy="10" r="2.4" />
      <circle cx="20" cy="22" r="2.4" />
    </svg>
  );
}
