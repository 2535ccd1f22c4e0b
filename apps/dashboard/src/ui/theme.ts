import { computed, effect, signal } from '@preact/signals';

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'esdb-gater.theme';
const media = matchMedia('(prefers-color-scheme: dark)');
const system = signal(media.matches);
media.addEventListener('change', ({ matches }) => {
  system.value = matches;
});

/** The chosen theme. It is remembered in this browser. */
export const theme = signal<Theme>(stored());

/** Whether the page is dark now. */
export const isDark = computed(() => (theme.value === 'auto' ? system.value : theme.value === 'dark'));

effect(() => {
  document.documentElement.dataset['theme'] = theme.value;
  try {
    if (theme.value === 'auto') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme.value);
  } catch {
    // A browser that stores nothing still shows the theme.
  }
});

function stored(): Theme {
  try {
    return THEMES.find((one) => one === localStorage.getItem(KEY)) ?? 'auto';
  } catch {
    return 'auto';
  }
}
