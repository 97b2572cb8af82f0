import {
  deviceLinkSpeed,
  deviceLinkSpeedPossible,
  deviceLinkWidth,
  deviceLinkWidthPossible,
  deviceSpeed,
} from '../metrics/catalogue/index.ts';
import { multiply, where } from '../metrics/condition.ts';
import { andOn, either, ratio, scale, subtract, value } from '../metrics/expression.ts';
import { shellQuote } from './remedies/shell.ts';
import { deciding, defineRule, info, notApplicable, ok, optional, warning } from './rule.ts';

/** Transfers per second up to which a byte takes ten bits on the wire. */
const SLOW_CODED = 5e9;
const TEN_FOR_EIGHT = 8 / 10;
const WIDE_CODE = 128 / 130;

const lanes = value(deviceLinkWidth);
const transfers = value(deviceLinkSpeed);

/**
 * Bytes per second that the link carries: up to 5 GT/s a byte takes ten bits on the wire, above it 130 bits carry 128 (PCI
 * Express base specification).
 */
const carried = multiply(
  where(lanes, '>', 0),
  either(
    scale(where(where(transfers, '>', 0), '<=', SLOW_CODED), TEN_FOR_EIGHT / 8),
    scale(where(transfers, '>', SLOW_CODED), WIDE_CODE / 8),
  ),
  'bytes',
);

export const pcieLinkBelowPossible = defineRule({
  code: 'PKT0601',
  id: 'pcie-link-below-possible',
  role: 'context',
  title: 'A NIC runs on a narrower or slower PCIe link than it and its slot could have',
  scope: ['device'],
  none: 'no NIC reports a PCIe link',
  watched: { seldom: 'how a card is plugged in' },
  signals: {
    width: lanes,
    possibleWidth: value(deviceLinkWidthPossible),
    speed: deciding(transfers),
    possibleSpeed: deciding(value(deviceLinkSpeedPossible)),
    port: optional(value(deviceSpeed)),
    link: optional(carried),
    linkShare: optional(ratio(carried, value(deviceSpeed))),
  },
  thresholds: {
    margin: {
      value: 1.1,
      unit: 'ratio',
      help: 'PCIe bandwidth relative to the speed of the port below which a narrower link is a warning.',
      source: 'judgement: descriptors and completions take about a tenth of the link',
    },
  },
  messages: {
    narrow:
      '{device} runs on {width} of {possibleWidth} PCIe lanes that it and its slot could use, and these carry ' +
      '{link:bytes} a second for a port of {port:bytes} a second.',
    narrowEnough:
      '{device} runs on {width} of {possibleWidth} PCIe lanes that it and its slot could use; they still carry more than ' +
      'its port does.',
    narrowUnknown: '{device} runs on {width} of {possibleWidth} PCIe lanes that it and its slot could use.',
    slow:
      '{device} runs its PCIe link at {speed:number} of {possibleSpeed:number} transfers a second. Some devices lower the ' +
      'speed while idle, which is no fault.',
  },
  alert: {
    raise: ({ width, possibleWidth, linkShare }, limits) => {
      const tight = where(linkShare, '<', limits.margin);
      const narrow = where(subtract(possibleWidth, width), '>', 0);
      return {
        warning: {
          when: andOn(['device'], tight, narrow),
          says: 'The PCIe link has fewer lanes than it could and carries {value} of what the port does.',
          lasting: '15m',
        },
      };
    },
  },
  conclude({ width, possibleWidth, speed, possibleSpeed, port, link, linkShare }, limits, at) {
    const device = at.labels['device'] ?? '';
    if (width.value <= 0 || possibleWidth.value <= 0) return notApplicable('the link width is not known, as for a VF');
    const command = `lspci -vv -s "$(basename "$(readlink /sys/class/net/${shellQuote(device)}/device)")" | grep -E 'LnkCap|LnkSta'`;
    if (width.value < possibleWidth.value) {
      const known = link !== undefined && port !== undefined;
      const said = {
        certainty: 'measured',
        args: {
          device,
          width: width.value,
          possibleWidth: possibleWidth.value,
          ...(known ? { link: link.value, port: port.value } : {}),
        },
        evidence: { width: ['<', possibleWidth.value], possibleWidth: null, speed: null, port: null },
        remedies: [
          {
            action: `Reseat the card of ${device} or move it to a slot with ${possibleWidth.value} lanes wired; check risers and bifurcation in the firmware.`,
            command,
            verify: `cat /sys/class/net/${shellQuote(device)}/device/current_link_width`,
          },
        ],
      } as const;
      if (!known) return info({ ...said, message: 'narrowUnknown' });
      return linkShare !== undefined && linkShare.value < limits.margin
        ? warning({ ...said, message: 'narrow' })
        : info({ ...said, message: 'narrowEnough' });
    }
    if (speed === undefined || possibleSpeed === undefined || speed.value <= 0) return ok();
    if (speed.value >= possibleSpeed.value) return ok();
    return info({
      certainty: 'possible',
      message: 'slow',
      args: { device, speed: speed.value, possibleSpeed: possibleSpeed.value },
      evidence: { speed: ['<', possibleSpeed.value], possibleSpeed: null },
      remedies: [{ action: 'Look at it again under load.', command, verify: command }],
    });
  },
});
