import type { PeerLink } from './peer-link.ts';

/** Something that is kept by name for each link, until the link closes. */
export interface PerLink<T> {
  /** Returns the map of a link, which is made when it is first asked for. */
  of(link: PeerLink): Map<string, T>;
  /** Returns what a link has under a name. */
  get(link: PeerLink, name: string): T | undefined;
  values(): Iterable<Map<string, T>>;
}

/** @param onClosed is called when a link has closed, with what it had */
export function perLink<T>(onClosed: (kept: readonly T[], link: PeerLink) => void): PerLink<T> {
  const links = new Map<PeerLink, Map<string, T>>();
  return {
    of(link) {
      const known = links.get(link);
      if (known !== undefined) return known;
      const kept = new Map<string, T>();
      links.set(link, kept);
      void link.closed.then(() => {
        links.delete(link);
        onClosed([...kept.values()], link);
      });
      return kept;
    },
    get: (link, name) => links.get(link)?.get(name),
    values: () => links.values(),
  };
}
