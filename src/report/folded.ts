import type { Report } from '../generated/report.ts';
import { visible } from './escape.ts';

const LONGEST = 8000;

/** The stacks as flame graph tools and speedscope read them: `direction;function;function count`, one a line. */
export function renderFolded({ profile }: Report): string {
  return (profile?.directions ?? [])
    .flatMap(({ direction, stacks }) =>
      stacks.map(({ stack, samples }) => `${direction};${visible(stack, LONGEST)} ${samples}\n`),
    )
    .join('');
}
