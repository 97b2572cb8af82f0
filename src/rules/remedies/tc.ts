/** Lists the filters of a place; all at the root where the place is not known. `dev` is quoted. */
export function showFilters(dev: string, { side = '', parent = '' }: { side?: string; parent?: string }): string {
  const place = parent === '' ? side : `parent ${parent}`;
  return `tc -s filter show dev ${dev} ${place}`.trimEnd();
}
