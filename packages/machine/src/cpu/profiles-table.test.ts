// The table of docs/processor-features.md is made from the profiles. After a change: npx vitest run THIS_FILE --update.

import {expect, test} from 'vitest';
import {keysOf} from '@hyperscope/base';
import {capabilitiesOf} from '../vmx/capabilities.js';
import {controlMask, secondaryControl} from '../vmx/control-bits.js';
import type {SecondaryControl} from '../vmx/control-bits.js';
import type {ProcessorProfile} from './core.js';
import {FEATURE_BITS, featuresOf, isSince} from './features.js';
import {PROFILES} from './profiles.js';

type Row = readonly [what: string, cell: (profile: ProcessorProfile) => string];

const yes = (holds: boolean): string => (holds ? '+' : '');
const control =
  (name: SecondaryControl) =>
  (profile: ProcessorProfile): string =>
    yes(
      featuresOf(profile).vmx && (capabilitiesOf(profile).secondary.may & controlMask(secondaryControl(name))) !== 0n,
    );

const ROWS: readonly Row[] = [
  ['year', ({year}) => String(year)],
  ['signature', ({signature}) => `${signature.toString(16).toUpperCase()}h`],
  ['physical address bits', ({physicalAddressBits}) => String(physicalAddressBits)],
  ['CPUID', ({cpuid}) => yes(cpuid.has(0))],
  ['CR4', profile => yes(isSince(profile, 'p5'))],
  ['RFLAGS.AC, CR0.WP, BSWAP, CMPXCHG, XADD, INVLPG', profile => yes(isSince(profile, 'i486'))],
  ['RFLAGS.ID', profile => yes(isSince(profile, 'p5'))],
  ['long NOP, RDPMC', profile => yes(isSince(profile, 'p6'))],
  ...keysOf(FEATURE_BITS)
    .filter(feature => PROFILES.some(profile => featuresOf(profile)[feature]))
    .map((feature): Row => [`\`${feature}\``, profile => yes(featuresOf(profile)[feature])]),
  ['VT-x: EPT', control('enable EPT')],
  ['VT-x: VPID', control('enable VPID')],
  ['VT-x: unrestricted guest', control('unrestricted guest')],
];

test('docs/processor-features.md says what the profiles announce', async () => {
  const lines = [
    '# Processors and their features',
    '',
    'Made from the profiles by `packages/machine/src/cpu/profiles-table.test.ts`; what it means is in [processors.md](processors.md).',
    'Names in code style are those that `--cpu PROFILE,+name` and `-name` switch.',
    '',
    `| | ${PROFILES.map(({id}) => id).join(' | ')} |`,
    `| --- |${PROFILES.map(() => ' --- |').join('')}`,
    ...ROWS.map(([what, cell]) => `| ${what} | ${PROFILES.map(cell).join(' | ')} |`),
    '',
  ];
  await expect(lines.join('\n')).toMatchFileSnapshot('../../../../docs/processor-features.md');
});
