/** Entries by their topic, in order of first appearance: the shape that every Kafka request has. */
export function groupByTopic<T extends { readonly topic: string }>(entries: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const entry of entries) {
    const group = groups.get(entry.topic);
    if (group === undefined) groups.set(entry.topic, [entry]);
    else group.push(entry);
  }
  return groups;
}
