/** The part that judges what was recorded. */
import { forAShortRun, mainOf } from './commands/run.ts';

export default mainOf(
  {
    compare: () => import('./commands/compare.ts'),
    replay: () => import('./commands/replay.ts'),
  },
  forAShortRun,
);
