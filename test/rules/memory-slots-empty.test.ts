import { memorySlots } from '../../src/metrics/catalogue/index.ts';
import { memorySlotsEmpty } from '../../src/rules/memory-slots-empty.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const slots = (populated: number, empty: number, unknown = 0): Cell[] => [
  [memorySlots, { state: 'populated' }, populated, populated],
  [memorySlots, { state: 'empty' }, empty, empty],
  [memorySlots, { state: 'unknown' }, unknown, unknown],
];

ruleCases(memorySlotsEmpty, [
  {
    name: 'half of them empty',
    cells: slots(8, 8),
    outcome: 'info',
    args: { empty: 8, slots: 16 },
    command: /dmidecode/,
  },
  { name: 'all full', cells: slots(16, 0), outcome: 'ok' },
  { name: 'unknown sizes are neither', cells: slots(2, 0, 2), outcome: 'ok' },
  { name: 'a firmware that names none', cells: slots(0, 4), outcome: 'not-measured' },
  { name: 'a guest without the table', cells: [], ran: ['nodeconfig'], outcome: 'not-applicable' },
  {
    name: 'the table needs root',
    cells: [],
    failed: { nodeconfig: { path: '/sys/firmware/dmi/tables/DMI', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /EACCES/,
  },
]);
