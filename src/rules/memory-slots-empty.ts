import { memorySlots } from '../metrics/catalogue/index.ts';
import { value } from '../metrics/expression.ts';
import { informsOnly } from './alert.ts';
import { defineRule, info, notApplicable, notMeasured, ok, optional } from './rule.ts';

export const memorySlotsEmpty = defineRule({
  code: 'PKT0602',
  id: 'memory-slots-empty',
  role: 'context',
  title: 'Memory slots are empty: some memory channels may be unused',
  scope: [],
  watched: { seldom: 'how the memory is plugged in' },
  signals: {
    populated: value(memorySlots, { state: 'populated' }),
    empty: optional(value(memorySlots, { state: 'empty' })),
    unknown: optional(value(memorySlots, { state: 'unknown' })),
  },
  thresholds: {},
  messages: {
    empty:
      '{empty} of {slots} memory slots are empty. That is a fact about capacity: bandwidth depends on whether each channel ' +
      'has a module, which the slot count does not tell.',
  },
  alert: informsOnly,
  conclude({ populated, empty, unknown }) {
    const free = empty?.value ?? 0;
    const slots = populated.value + free + (unknown?.value ?? 0);
    if (slots === 0) return notApplicable('the firmware has no table of memory slots');
    if (populated.value === 0) return notMeasured('the firmware names no populated memory slot');
    if (free === 0) return ok();
    return info({
      certainty: 'measured',
      message: 'empty',
      args: { empty: free, slots },
      evidence: { empty: ['>', 0], populated: null, unknown: null },
      remedies: [
        {
          action: 'See whether each channel of each socket has a module, and modules of one size.',
          command: "dmidecode -t memory | grep -E 'Locator|Size|Speed'",
          verify: "dmidecode -t memory | grep -c 'Size: No Module'",
        },
      ],
    });
  },
});
