// How one page differs from the one before it, by place and by tag.

/**
 * What happened to each place of a page.
 * @param {string[] | null} before ids by place; null where there was no page
 * @param {string[]} now ids by place
 * @returns {{kind: "first" | "same" | "new" | "up" | "down", from?: number}[]}
 */
export function marks(before, now) {
  if (!before) return now.map(() => ({ kind: "first" }));
  return now.map((id, place) => {
    const from = before.indexOf(id);
    if (from === place) return { kind: "same" };
    if (from < 0) return { kind: "new" };
    return { kind: from > place ? "up" : "down", from };
  });
}

/**
 * Tags that stand on more or fewer videos than before, the largest change first.
 * @param {string[][]} before tags of each video
 * @param {string[][]} now likewise
 * @returns {{tag: string, before: number, now: number}[]}
 */
export function shifts(before, now) {
  const count = (page) => {
    const found = new Map();
    for (const tags of page) for (const tag of new Set(tags)) found.set(tag, (found.get(tag) ?? 0) + 1);
    return found;
  };
  const [then, today] = [count(before), count(now)];
  return [...new Set([...then.keys(), ...today.keys()])]
    .map((tag) => ({ tag, before: then.get(tag) ?? 0, now: today.get(tag) ?? 0 }))
    .filter((shift) => shift.before !== shift.now)
    .sort((one, other) => Math.abs(other.now - other.before) - Math.abs(one.now - one.before)
      || one.tag.localeCompare(other.tag));
}
