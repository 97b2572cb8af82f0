import { netstat, xfrmErrors as errors } from '../../src/metrics/catalogue/index.ts';
import { xfrmErrors } from '../../src/rules/xfrm-errors.ts';
import { ruleCases } from '../support/cases.ts';
import { unread } from '../support/losses.ts';
import type { Cell } from '../support/window.ts';

const received: Cell = [netstat.member('Ip_InReceives'), {}, 0, 100_000];
const error = (name: string, count: number): Cell => [errors, { error: name }, 2, 2 + count];

ruleCases(xfrmErrors, [
  {
    name: 'states are missing',
    cells: [received, error('XfrmInNoStates', 900), error('XfrmInStateSeqError', 100)],
    outcome: 'warning',
    certainty: 'measured',
    args: { lost: 1000, most: 900, error: 'XfrmInNoStates' },
    command: /xfrm_stat/,
  },
  {
    name: 'more than half of all',
    cells: [received, error('XfrmInError', 200_000)],
    outcome: 'critical',
  },
  {
    name: 'few of many are a remark',
    cells: [received, error('XfrmInError', 50)],
    outcome: 'info',
  },
  {
    name: 'as few of those that came in the time in which they were counted',
    cells: [received, error('XfrmInError', 18), error('XfrmInNoStates', 2)],
    readAfter: { [errors.collector]: 100 },
    outcome: 'info',
    args: { lost: 20, rate: 0.2 },
  },
  { name: 'one is a remark', cells: [received, error('XfrmInError', 1)], outcome: 'info' },
  { name: 'none', cells: [received, error('XfrmInError', 0)], outcome: 'ok' },
  unread(),
  {
    name: 'a reset inside the window',
    cells: [received, [errors, { error: 'XfrmInError' }, 1000, 5]],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
