// What the machine is: its processor, what that can do, and what its cycles cost.

import {COST_MODELS, PROFILES, featuresOf} from '@hyperscope/machine';
import type {ProcessorProfile} from '@hyperscope/machine';
import {lackOfSvm, lackOfVmx} from '@hyperscope/vmm';
import {on} from './switch.js';
import type {Settings, Switch, SwitchContext} from './switch.js';

const OWN = {id: 'own', title: 'the machine’s own', sentence: 'What this machine has when nobody chooses.'} as const;

/** Whether a technique can work on a processor. */
function fits(profile: ProcessorProfile, {technique}: SwitchContext): boolean {
  switch (technique.id) {
    case 'vtx-ept':
      return lackOfVmx(profile, 'nested') === undefined;
    case 'vtx-shadow':
      return lackOfVmx(profile, 'shadow') === undefined;
    case 'svm-npt':
      return lackOfSvm(profile, 'nested') === undefined;
    case 'svm-shadow':
      return lackOfSvm(profile, 'shadow') === undefined;
    case 'bare':
      return true;
    case 'paravirtual':
      return featuresOf(profile).lm;
    default:
      return featuresOf(profile).pae;
  }
}

/** Which processors are offered depends on the machine, so this one is made for each. */
export const processorSwitch = (context: SwitchContext): Switch => ({
  id: 'processor',
  title: 'Processor',
  group: 'processor',
  sentence: 'Which processor the machine has: what CPUID says, and therefore what there is.',
  values: [
    OWN,
    ...PROFILES.filter(profile => fits(profile, context)).map(({id, title, year, summary}) => ({
      id,
      title: `${title}, ${year}`,
      sentence: summary,
    })),
  ],
  initial: OWN.id,
  isOffered: () => true,
  set: (value, settings) => (value === OWN.id ? settings : {...settings, processor: value}),
});

function feature(name: string, title: string, sentence: string, isOffered: Switch['isOffered'] = () => true): Switch {
  return {
    id: name,
    title,
    group: 'processor',
    sentence,
    values: [
      {...OWN, title: 'as the processor has it'},
      {id: 'on', title: 'there'},
      {id: 'off', title: 'not there'},
    ],
    initial: OWN.id,
    isOffered,
    set: (value, settings): Settings =>
      value === OWN.id
        ? settings
        : {...settings, features: [...settings.features, `${value === 'on' ? '+' : '-'}${name}`]},
  };
}

const strict: Switch = {
  id: 'strict',
  title: 'Every sensitive instruction traps',
  group: 'processor',
  sentence:
    'The x86 that Popek and Goldberg would have liked: outside ring 0 each sensitive instruction is #GP, POPF and SIDT among them.',
  values: [
    {id: 'off', title: 'no: an ordinary x86'},
    {id: 'on', title: 'yes'},
  ],
  initial: 'off',
  isOffered: on('bare', 'trap-and-emulate', 'binary-translation'),
  set: (value, settings) => (value === 'off' ? settings : {...settings, features: [...settings.features, '+strict']}),
};

const costModel: Switch = {
  id: 'cost-model',
  title: 'Cost model',
  group: 'cost',
  sentence: 'Whose figures the cycles come from. It changes how long things take, and with that when a timer is due.',
  values: [
    {...OWN, title: 'the processor’s own'},
    ...COST_MODELS.map(({id, title, source}) => ({id, title, sentence: source})),
  ],
  initial: OWN.id,
  isOffered: () => true,
  set: (value, settings) => (value === OWN.id ? settings : {...settings, costModel: value}),
};

export const MACHINE_SWITCHES: readonly Switch[] = [
  strict,
  feature(
    'umip',
    'UMIP',
    'User-mode instruction prevention: with CR4.UMIP = 1, SGDT, SIDT, SLDT, SMSW and STR are #GP outside ring 0. The processor may have it; the guest has to switch it on.',
  ),
  feature(
    'smep',
    'SMEP',
    'Supervisor-mode execution prevention: with CR4.SMEP = 1 the kernel cannot execute a page that a user can. The processor may have it; the guest has to switch it on.',
  ),
  costModel,
];
