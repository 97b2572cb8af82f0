/** The part that tells of rules. What it would set for a short run takes as long as the list of rules. */
import { mainOf } from './commands/run.ts';

export default mainOf({
  rules: () => import('./commands/rules.ts'),
  'rules:explain': () => import('./commands/rules-explain.ts'),
  'rules:export': () => import('./commands/rules-export.ts'),
});
