import { mtuAndFragments } from '../../src/rules/mtu-and-fragments.ts';
import { ruleCases } from '../support/cases.ts';
import { lossCases } from '../support/losses.ts';

ruleCases(mtuAndFragments, [...lossCases({ field: 'Ip_FragFails', reason: 'PKT_TOO_BIG', location: 'ip_forward' })]);
