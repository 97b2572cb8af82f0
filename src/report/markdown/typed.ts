/** What to type. */
import { fenced } from './syntax.ts';

/** What to type, in a block to copy from. */
export function typed(label: string, command: string | null | undefined, indent: string): string[] {
  if (command === null || command === undefined) return [];
  return [...(label === '' ? [''] : [label, '']), ...fenced(command, 'sh', indent), ''];
}
