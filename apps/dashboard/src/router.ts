import { computed, signal } from '@preact/signals';

/** Where the page is: the parts of the hash and its query, decoded. */
export interface Route {
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

const hash = signal(location.hash);

/** The current route. */
export const route = computed(() => parseHash(hash.value));

/** Follows the address bar. */
export function startRouter(): void {
  addEventListener('hashchange', () => {
    hash.value = location.hash;
  });
}

/** Reads a hash such as `#/events/default?stream=users-1`. Parts that are not valid percent-encoding stay as they are. */
export function parseHash(text: string): Route {
  const [path = '', search = ''] = splitOnce(text.replace(/^#\/?/, ''), '?');
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decode);
  return { parts, query: new URLSearchParams(search) };
}

/** Returns the address of a view. Undefined and empty values are left out of its query. */
export function href(
  parts: readonly string[],
  query: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  );
  const search = new URLSearchParams(given).toString();
  return `#/${parts.map(encodeURIComponent).join('/')}${search === '' ? '' : `?${search}`}`;
}

/** Goes to a view. */
export function go(to: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (!replace) location.hash = to;
  else {
    history.replaceState(null, '', to);
    hash.value = to;
  }
}

function splitOnce(text: string, by: string): [string, string] {
  const at = text.indexOf(by);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
