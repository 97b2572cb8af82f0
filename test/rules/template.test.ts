import { softnetDropped } from '../../src/metrics/catalogue/index.ts';
import { template } from '../../src/rules/template.ts';
import { ruleCases } from '../support/cases.ts';

const gap = { path: '/proc', reason: 'permission denied (EACCES)' };

ruleCases(template, [
  {
    name: 'fires at the limit',
    cells: [[softnetDropped, { cpu: '0' }, 5, 15]],
    outcome: 'warning',
    certainty: 'measured',
    args: { lost: 10, rate: 1 },
  },
  { name: 'keeps quiet just below', cells: [[softnetDropped, { cpu: '0' }, 5, 14]], outcome: 'ok' },
  {
    name: 'says what could not be read',
    cells: [],
    failed: { [softnetDropped.collector]: gap },
    outcome: 'not-measured',
    missing: /EACCES/,
  },
  {
    name: 'takes a counter that fell for a reset',
    cells: [[softnetDropped, { cpu: '0' }, 2_000_000_000, 5]],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
