/** The part that measures. */
import { forAShortRun, mainOf } from './commands/run.ts';

export default mainOf(
  {
    diagnose: () => import('./commands/diagnose.ts'),
    doctor: () => import('./commands/doctor.ts'),
    fleet: () => import('./commands/fleet.ts'),
    metrics: () => import('./commands/metrics.ts'),
    record: () => import('./commands/record.ts'),
    taps: () => import('./commands/taps.ts'),
    watch: () => import('./commands/watch.ts'),
  },
  forAShortRun,
);
