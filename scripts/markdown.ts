/** A table in Markdown: the first columns are aligned to the left, the others (numbers) to the right. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  leftColumns = 1,
): string[] {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, i) => (i < leftColumns ? '---' : '--:')).join('|');
  return [line(head), `|${rule}|`, ...rows.map(line)];
}
